"""Enter presses a focused button, as Space does. GUI thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget


class EnterPresses(QObject):
    """Two shortcuts of the window, enabled while a button of the window has the keyboard."""

    def __init__(self, window: QWidget) -> None:
        """Watches as long as ``window`` lives."""
        super().__init__(window)
        self._window = window
        self._keys = tuple(
            QShortcut(QKeySequence(key), window) for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        )
        for keys in self._keys:
            keys.setEnabled(False)
            keys.activated.connect(self._press)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._follow)

    def _follow(self, _before: QWidget | None, now: QWidget | None) -> None:
        is_ours = isinstance(now, QAbstractButton) and now.window() is self._window
        for keys in self._keys:
            keys.setEnabled(is_ours)

    def _press(self) -> None:
        button = QApplication.focusWidget()
        if isinstance(button, QAbstractButton) and button.isEnabled():
            button.click()
