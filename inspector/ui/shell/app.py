"""Starts the window. Everything that it needs is handed in: no state stays behind in the module."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Future
from types import FrameType, TracebackType
from typing import Final, Self

from PySide6.QtCore import QCoreApplication, QEvent, QSettings, QTimer
from PySide6.QtWidgets import QApplication

from inspector.ending import ENDING
from inspector.errors import InspectorError
from inspector.session.protocol import Session
from inspector.systems import known_signals
from inspector.ui.session.connector import Connector
from inspector.ui.shell.main_window import MainWindow

ORGANISATION: Final = "arc-inspector"
CLOSING: Final = (*ENDING, *known_signals("SIGQUIT"))
SIGNAL_POLL_MILLIS: Final = 200
"""How long Ctrl+C in the terminal may take: Qt's loop does not run Python's signal handlers by
itself."""


SWITCH_SECS: Final = 0.0005
"""The time for which the window's thread may wait for the interpreter's lock whenever it needs it.
A paint takes the lock hundreds of times, and Python's own 5 ms would add up to a stall."""


def run_window(  # noqa: PLR0913 - each is a wish of another command
    connector: Connector,
    *,
    initial: Callable[[Connector], Session] | None = None,
    initial_name: str = "the target",
    reset_layout: bool = False,
    theme: str = "",
    demo: bool = False,
    passed_on: Callable[[int], bool] = lambda _number: False,
) -> int:
    """Show the window until it is closed; the exit status.

    ``initial`` opens the first session, off the GUI thread; or it is the ``demo``.

    Signals that end a command close the window without a question, unless ``passed_on`` returns
    true. ``theme``: ``system``, ``light`` or ``dark``; empty: as last time. Works without a display
    (``QT_QPA_PLATFORM=offscreen``).
    """
    with ClosingSignals(passed_on) as signals:
        application = make_application()
        window = MainWindow(connector, window_settings(), reset_layout=reset_layout)
        if theme:
            window.appearance.choose(theme)
        if initial is not None:
            window.attachment.open_with(lambda: initial(connector), initial_name)
        elif demo:
            window.start_demo()
        window.show()
        signals.close(window)
        # modules live as long as the window: full collections pass over their objects
        gc.freeze()
        status = application.exec()
        say_removal(window.attachment.removal)
        delete_now(window)
        return status


class ClosingSignals:
    """Signals that close a window, from before it is made. Use it in ``with``."""

    def __init__(self, passed_on: Callable[[int], bool]) -> None:
        """``passed_on`` returns true when it passes a signal on."""
        self._is_told = False
        self._passed_on = passed_on
        self._window: MainWindow | None = None
        self._waker: QTimer | None = None
        self._before = {number: signal.getsignal(number) for number in CLOSING}

    def __enter__(self) -> Self:
        """Handle the signals; ignored signals stay ignored."""
        for number, handler in self._before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """As it was."""
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

    def close(self, window: MainWindow) -> None:
        """The window to close; at once when a signal came before it was there."""
        self._window, self._waker = window, QTimer()
        self._waker.timeout.connect(self._look)
        self._waker.start(SIGNAL_POLL_MILLIS)
        self._look()

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        # Nothing is raised here: Qt would print an exception of a slot, and continue.
        if not self._passed_on(number):
            self._is_told = True

    def _look(self) -> None:
        if self._is_told and self._window is not None and self._waker is not None:
            self._waker.stop()
            self._window.leaving.asks = False
            QTimer.singleShot(0, self._window.close)


def delete_now(window: MainWindow) -> None:
    """Delete a closed window on this thread, the GUI thread.

    Its Python objects refer to each other. A collection of garbage may find them on a worker
    thread, and a widget that is deleted there crashes the process. The next window is built without
    a style sheet again.
    """
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
    make_application().setStyleSheet("")


def say_removal(removal: Future[str] | None) -> None:
    """Wait for the outcome of the agent's removal with the window.

    A line on stderr when it stays.
    """
    if removal is None:
        return
    try:
        stays = removal.result()
    except InspectorError as error:
        stays = str(error)
    if stays:
        print(f"arc-inspector: the agent stays: {stays}", file=sys.stderr)


def make_application() -> QApplication:
    """The one application of this process; offscreen where there is no display."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.setswitchinterval(SWITCH_SECS)
    application = QApplication([ORGANISATION])
    application.setStyle("Fusion")
    application.setApplicationName("arc-inspector")
    application.setApplicationDisplayName("arc-inspector")
    application.setDesktopFileName("arc-inspector")
    return application


def window_settings() -> QSettings:
    """The place of theme, geometry and layout: an ini file in the platform's place."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, ORGANISATION, "window")
