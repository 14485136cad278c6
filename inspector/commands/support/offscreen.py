"""The window without a display, driven by a command.

It is for pictures, and for the demo on a machine without a screen.

Everything runs on the calling thread; waiting runs Qt's event loop.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

from PySide6.QtCore import QEventLoop, QSettings, QTimer

from inspector.commands.support.connector import RedactedConnector
from inspector.ending import ENDING, EndedBySignalError
from inspector.errors import AttachError, InspectorError
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.snapshot import Snapshot, TargetState
from inspector.session.private_facts import private_facts
from inspector.ui.shell.app import make_application
from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.screenshot import save_screenshot
from inspector.ui.shell.send_preview import CHOICE, SKIP

PATIENCE_SECS: Final = 20.0
SETTLE_SECS: Final = 3.0
_LOOK_MILLIS: Final = 15
_PAINT_MILLIS: Final = 150
"""Plots and tables repaint at a limited rate: a picture is taken after this."""


def use_offscreen() -> None:
    """Draw into memory, also where there is a display.

    Before anything of Qt's window system is made.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"


class OffscreenWindow:
    """A window with settings of its own that nobody sees. Use it in ``with``."""

    def __init__(
        self,
        *,
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
        kept: Kept = NOTHING_KEPT,
    ) -> None:
        """Make and lay out the window; sizes in pixels. It shows no private part but ``kept``."""
        self._ended_by = 0
        self._before = {
            number: signal.signal(number, self._note_signal)
            for number in ENDING
            if signal.getsignal(number) != signal.SIG_IGN
        }
        self._application = make_application()
        self._folder = tempfile.TemporaryDirectory(prefix="arc-inspector-window-")
        folder = Path(self._folder.name)
        self._said: list[str] = []
        settings = QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)
        settings.setValue(CHOICE, SKIP)  # no person answers here
        self._kept = kept
        self._connector = RedactedConnector(folder, kept)
        self.window = MainWindow(self._connector, settings, reset_layout=True)
        self.window.appearance.choose(theme)
        self.window.resize(width, height)
        self.window.attachment.told.connect(self._note)
        self.window.target_actions.told.connect(self._note)
        self.window.show()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Detach and close."""
        self.window.close()
        self._run_loop(_PAINT_MILLIS)
        self._folder.cleanup()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot that the panes show."""
        return self.window.attachment.shown

    @property
    def said(self) -> str:
        """The newest sentence of the result bar."""
        return self._said[-1] if self._said else ""

    def attach(self, pid: int, *, read_only: bool = False) -> None:
        """Open a session; ``read_only``: look from outside.

        Raises ``AttachError`` with what the window says when that fails.
        """
        attachment = self.window.attachment
        (attachment.look if read_only else attachment.attach)(pid)
        self._wait_opened()

    def open_file(self, path: Path) -> None:
        """Open a session over a file. Raises ``AttachError``."""
        self.window.attachment.open_file(path)
        self._wait_opened()

    def start_demo(self) -> None:
        """Start the sample target and open a session with it. Raises ``AttachError``."""
        self.window.attachment.start_demo()
        self._wait_opened()

    def wait_settled(self) -> Snapshot:
        """Wait until counts are sampled and painted, or the target turns out not to answer."""
        began_at = time.time()
        self.wait(lambda: self.snapshot is not None, "the first snapshot")
        deadline = time.monotonic() + SETTLE_SECS
        self.wait(lambda: time.monotonic() > deadline or self._is_settled(began_at), "a snapshot")
        self.run_for(_PAINT_MILLIS)
        if self.snapshot is None:
            raise AttachError("the target could not be read in time")
        return self.snapshot

    def wait(
        self, is_so: Callable[[], bool], what: str, patience_secs: float = PATIENCE_SECS
    ) -> None:
        """Run the window until ``is_so``. Raises ``InspectorError`` when it takes too long."""
        deadline = time.monotonic() + patience_secs
        while not is_so():
            if time.monotonic() > deadline:
                raise InspectorError(f"{what} did not come within {patience_secs:.0f} s")
            self.run_for(_LOOK_MILLIS)

    def run_for(self, millis: int) -> None:
        """Run the window for a while. Raises ``EndedBySignalError``."""
        self._run_loop(millis)
        if self._ended_by:
            raise EndedBySignalError(self._ended_by)

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        """Only note it: what is raised while C++ code of Qt calls Python code is lost."""
        self._ended_by = number

    def _run_loop(self, millis: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(millis, loop.quit)
        loop.exec()

    def save(self, path: Path) -> str:
        """Save a picture with its data; the private parts that it lacks, in words.

        Raises ``InspectorError`` when it cannot be written.
        """
        snapshot = self.window.attachment.shown
        if snapshot is None:
            raise AttachError("there is nothing to show yet")
        try:
            redactor = Redactor(private_facts(snapshot.target.pid), self._kept)
            state = self.window.reopening.state()
            save_screenshot(
                self.window,
                snapshot,
                path,
                redactor=redactor,
                note=state.look.filter,
                state=state,
            )
        except OSError as error:
            raise InspectorError(
                f"the picture cannot be written: {error.strerror or error}: {path}"
            ) from error
        return self._connector.left_out()

    def _note(self, sentence: str, _tone: str) -> None:
        self._said.append(sentence)

    def _wait_opened(self) -> None:
        attachment = self.window.attachment
        self.wait(lambda: not attachment.situation.connecting, "an answer", patience_secs=60.0)
        if not attachment.situation.attached:
            raise AttachError(self.said or "the target could not be attached")

    def _is_settled(self, began_at: float) -> bool:
        snapshot = self.snapshot
        if snapshot is None:
            return False
        if snapshot.target.state is not TargetState.LIVE:
            return True
        return snapshot.sampled_at >= began_at and self.window.changes.knows_rates
