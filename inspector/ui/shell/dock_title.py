"""The head of a dock: its title, and the actions on its content. GUI thread."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QToolButton, QWidget

from inspector.ui.kit.labels import text_label

HEIGHT = 32
WIDE = 560
"""From so many pixels on the buttons have words."""


class DockTitle(QWidget):
    """One line; the dock is moved by it."""

    def __init__(self, dock: QDockWidget, actions: Sequence[QAction] = ()) -> None:
        """Follow the title of ``dock``."""
        super().__init__(dock)
        self.setObjectName("docktitle")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._label = text_label(dock.windowTitle())
        self._label.setProperty("dock", True)
        dock.windowTitleChanged.connect(self._label.setText)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 0, 8, 0)
        line.setSpacing(4)
        line.addWidget(self._label, 1)
        self.buttons = tuple(_button(action) for action in actions)
        for button in self.buttons:
            line.addWidget(button)

    def sizeHint(self) -> QSize:
        """The dock asks this, and no limit, for its height."""
        return QSize(super().sizeHint().width(), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """As high, and as narrow as the dock wants."""
        return QSize(0, HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words where there is room."""
        super().resizeEvent(event)
        style = (
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            if self.width() >= WIDE
            else Qt.ToolButtonStyle.ToolButtonIconOnly
        )
        for button in self.buttons:
            button.setToolButtonStyle(style)


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setAccessibleName(action.text())
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setProperty("small", True)
    return button
