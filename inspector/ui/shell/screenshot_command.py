"""Takes screenshots of the window while it goes on.

The picture is taken on the GUI thread, and encoded and written on a worker.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.snapshot import Snapshot
from inspector.model.window_state import WindowState
from inspector.model.wording import file_name
from inspector.session.private_facts import private_facts
from inspector.ui.session.answer_texts import error_sentence
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.connector import Connector
from inspector.ui.shell.screenshot import take_picture, write_picture
from inspector.ui.shell.send_preview import PICTURE, SendPreview


class ScreenshotCommand(QObject):
    """Saves one window. GUI thread."""

    told = Signal(str, str)
    """A sentence and its tone (``plain`` or ``alarm``) for the result bar: that it saves, then how
    that went."""

    def __init__(
        self,
        window: QWidget,
        connector: Connector,
        runner: BackgroundRunner,
        preview: SendPreview,
    ) -> None:
        """Pictures of ``window``; ``connector`` names the folder and remembers files."""
        super().__init__(window)
        self._window = window
        self._connector = connector
        self._runner = runner
        self._preview = preview

    def take(self, snapshot: Snapshot, state: WindowState) -> None:
        """Ask, and save to a new file in the connector's folder."""
        path = self._connector.screenshot_folder() / file_name(snapshot.target.name, ".png")
        self._preview.ask(
            PICTURE, snapshot, lambda kept: self.save(snapshot, state, path, kept=kept)
        )

    def save(
        self, snapshot: Snapshot, state: WindowState, path: Path, *, kept: Kept = NOTHING_KEPT
    ) -> None:
        """Save to ``path``, without private parts but those that are ``kept``.

        The filter goes into the stamp line.
        """
        note = state.look.filter
        redactor = Redactor(private_facts(snapshot.target.pid), kept)
        picture = take_picture(self._window, snapshot, redactor=redactor, note=note)
        self.told.emit(f"Saving {path.name} …", "plain")
        self._runner.run(
            lambda: write_picture(picture, snapshot, path, redactor, state),
            lambda _none: self._saved(path, redactor.sentence()),
            self._failed,
        )

    def _saved(self, path: Path, left_out: str) -> None:
        self._connector.remember(path)
        self.told.emit(
            f"Saved {path} with its data inside{f'; {left_out}' if left_out else ''}", "plain"
        )

    def _failed(self, error: BaseException) -> None:
        """A full disk must not end the session."""
        self.told.emit(f"The screenshot was not saved: {error_sentence(error)}", "alarm")
