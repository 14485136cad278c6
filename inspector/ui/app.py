"""Starts the window. Everything that it needs is handed in: no state stays behind in the module."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from inspector.session.protocol import Session
from inspector.ui.connector import Connector
from inspector.ui.main_window import MainWindow

ORGANISATION: Final = "arc-inspector"
SIGNAL_POLL_MILLIS: Final = 200
"""How long Ctrl+C in the terminal may take: Qt's loop does not run Python's signal handlers by itself."""


def run_window(
    connector: Connector,
    *,
    initial: Callable[[Connector], Session] | None = None,
    initial_name: str = "the target",
    reset_layout: bool = False,
    theme: str = "",
    demo: bool = False,
) -> int:
    """Show the window until it is closed; the exit status. ``initial`` opens the first session, off the GUI thread; or it is the ``demo``.

    ``theme``: ``system``, ``light`` or ``dark``; empty: as last time. Works without a display (``QT_QPA_PLATFORM=offscreen``).
    """
    application = make_application()
    window = MainWindow(connector, window_settings(), reset_layout=reset_layout)
    if theme:
        window.appearance.choose(theme)
    if initial is not None:
        window.attachment.open_with(lambda: initial(connector), initial_name)
    elif demo:
        window.start_demo()
    window.show()
    waker = QTimer()
    waker.start(SIGNAL_POLL_MILLIS)
    waker.timeout.connect(lambda: None)
    before = signal.signal(signal.SIGINT, lambda _number, _frame: window.close())
    try:
        return application.exec()
    finally:
        signal.signal(signal.SIGINT, before)


def make_application() -> QApplication:
    """The one application of this process; offscreen where there is no display."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([ORGANISATION])
    application.setStyle("Fusion")
    application.setApplicationName("arc-inspector")
    application.setApplicationDisplayName("arc-inspector")
    application.setDesktopFileName("arc-inspector")
    return application


def window_settings() -> QSettings:
    """Where theme, geometry and layout are kept: an ini file in the platform's place."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, ORGANISATION, "window")
