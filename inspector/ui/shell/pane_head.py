"""The head of a pane: its title, and the actions on its content. GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from inspector.ui.kit.labels import text_label

HEIGHT: Final = 32
WIDE: Final = 560
"""From so many pixels on the buttons have words."""


class PaneHead(QWidget):
    """One line."""

    def __init__(self, title: str, actions: Sequence[QAction] = ()) -> None:
        """With that title."""
        super().__init__()
        self.setObjectName("panetitle")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        label = text_label(title)
        label.setProperty("dock", True)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 0, 8, 0)
        line.setSpacing(4)
        line.addWidget(label, 1)
        self.buttons = tuple(_button(action) for action in actions)
        for button in self.buttons:
            line.addWidget(button)

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
