"""The processes of one program in the menu of the target: parent and workers. GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from inspector.model.wording import number
from inspector.ui.session.answer_texts import error_sentence
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.connector import Connector, ProcessRow

LOOKING = "Looking for processes of this program …"
ALONE = "No other process of this program"


class Relatives(QObject):
    """Asks for the relatives of the target when the menu opens, and lists them at its end.

    There they push no other entry away under the pointer.
    """

    def __init__(
        self,
        menu: QMenu,
        attachment: Attachment,
        connector: Connector,
        runner: BackgroundRunner,
        open_row: Callable[[ProcessRow], None],
    ) -> None:
        """``open_row`` attaches to a process, with the questions that it needs."""
        super().__init__(menu)
        self._menu = menu
        self._attachment = attachment
        self._connector = connector
        self._runner = runner
        self._open_row = open_row
        self._round = 0
        self._entries: list[QAction] = []
        menu.aboutToShow.connect(self._look)

    def _look(self) -> None:
        snapshot = self._attachment.snapshot
        self._clear()
        self._round += 1
        if snapshot is None:
            return
        pid, this_round = snapshot.target.pid, self._round
        self._say(LOOKING)
        self._runner.run(
            lambda: tuple(self._connector.relatives(pid)),
            lambda rows: self._show(rows, pid) if this_round == self._round else None,
            lambda error: self._say(error_sentence(error)) if this_round == self._round else None,
        )

    def _show(self, rows: Sequence[ProcessRow], pid: int) -> None:
        self._clear()
        self._separate()
        if not [row for row in rows if row.pid != pid]:
            self._add(ALONE).setEnabled(False)
            return
        for row in rows:
            entry = self._add(entry_text(row))
            entry.setCheckable(True)
            entry.setChecked(row.pid == pid)
            entry.setEnabled(row.attachable or bool(row.consent) or row.readable)
            entry.setToolTip(row.command)
            if row.pid != pid:
                entry.triggered.connect(lambda _checked=False, row=row: self._open_row(row))

    def _say(self, text: str) -> None:
        self._clear()
        self._separate()
        self._add(text).setEnabled(False)

    def _add(self, text: str) -> QAction:
        entry = QAction(text.replace("&", "&&"), self._menu)
        self._insert(entry)
        return entry

    def _separate(self) -> None:
        line = QAction(self._menu)
        line.setSeparator(True)
        self._insert(line)

    def _insert(self, entry: QAction) -> None:
        self._menu.addAction(entry)
        self._entries.append(entry)

    def _clear(self) -> None:
        for entry in self._entries:
            self._menu.removeAction(entry)
            entry.deleteLater()
        self._entries = []


def entry_text(row: ProcessRow) -> str:
    """``worker.py · 4712 · 1,204 live handles``."""
    handles = f"{number(row.live_handles)} live handles" if row.live_handles >= 0 else ""
    state = handles or row.reason
    return " · ".join(part for part in (row.name, str(row.pid), state) if part)
