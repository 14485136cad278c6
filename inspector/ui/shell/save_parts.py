"""*Save as…* of the timeline, the table and the pane of the drawer. GUI thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from inspector.errors import InspectorError
from inspector.model.churn_rows import history_rows
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.snapshot import Snapshot
from inspector.model.wording import file_name
from inspector.session.private_facts import private_facts
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.connector import Connector
from inspector.ui.shell.actions import Actions
from inspector.ui.shell.part_files import save_part, view_in
from inspector.ui.shell.send_preview import PART, SendPreview
from inspector.ui.shell.workbench import Workbench

PICTURES: Final = ("SVG picture (*.svg)", "PNG picture (*.png)")
TABLE: Final = "Rows as CSV (*.csv)"


class SaveParts(QObject):
    """Asks for a file and writes the part of the window into it."""

    told = Signal(str, str)
    """A sentence and its tone for the result bar."""

    def __init__(
        self,
        workbench: Workbench,
        attachment: Attachment,
        connector: Connector,
        actions: Actions,
        preview: SendPreview,
    ) -> None:
        """Connects the actions; ``connector`` names the folder that is offered."""
        super().__init__(workbench)
        self._workbench = workbench
        self._attachment = attachment
        self._connector = connector
        self._preview = preview
        actions.connect_to(
            {
                "save_timeline": lambda: self.ask(workbench.timeline, "timeline"),
                "save_table": lambda: self.ask(workbench.handles, "table"),
                "save_pane": self._ask_drawer,
            }
        )
        workbench.drawer.save.clicked.connect(self._ask_drawer)

    def ask(self, part: QWidget, name: str) -> None:
        """Ask where to save the part called ``name``."""
        snapshot = self._attachment.shown
        if snapshot is None:
            return
        filters = (TABLE, *PICTURES) if name == "table" else (*PICTURES, TABLE)
        offered = [each for each in filters if each != TABLE or self._has_rows(part)]
        folder = self._connector.screenshot_folder()
        ending = offered[0].partition("*")[2].rstrip(")")
        proposed = folder / file_name(f"{snapshot.target.name}-{name}", ending)
        chosen, wanted = QFileDialog.getSaveFileName(
            self._workbench, f"Save the {name}", str(proposed), ";;".join(offered)
        )
        if chosen:
            path = Path(chosen)
            if not path.suffix:
                path = path.with_suffix(wanted.partition("*")[2].rstrip(")"))
            self._preview.ask(PART, snapshot, lambda kept: self.save(part, path, kept=kept))

    def save(self, part: QWidget, path: Path, *, kept: Kept = NOTHING_KEPT) -> None:
        """Write ``part`` to ``path``, without private parts but those that are ``kept``.

        The result bar says how that went.
        """
        snapshot = self._attachment.shown
        if snapshot is None:
            return
        redactor = Redactor(private_facts(snapshot.target.pid), kept)
        redactor.learn(snapshot)
        try:
            save_part(part, path, redactor, self._points(part, snapshot))
        except InspectorError as error:
            self.told.emit(f"Not saved: {error}", "alarm")
            return
        left_out = redactor.sentence()
        self.told.emit(f"Saved {path}{f'; {left_out}' if left_out else ''}", "plain")

    def _has_rows(self, part: QWidget) -> bool:
        return part is self._workbench.timeline or view_in(part) is not None

    def _points(self, part: QWidget, snapshot: Snapshot) -> Iterator[list[str]] | None:
        """Of the timeline: the rows of a plot."""
        if part is not self._workbench.timeline:
            return None
        names = {index: row.name for index, row in snapshot.types.items()}
        return history_rows(self._workbench.timeline.history, names)

    def _ask_drawer(self) -> None:
        drawer = self._workbench.drawer
        drawer.set_open(True)
        self.ask(drawer.pane, drawer.current)
