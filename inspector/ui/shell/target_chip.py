"""The target's name, process id and state, at the left of the toolbar. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QWidget

from inspector.model.snapshot import Target, TargetState
from inspector.ui.kit.assets import pixmap
from inspector.ui.kit.labels import ElidedLabel, plain_tip, text_label
from inspector.ui.kit.theme import Theme

STATE_LOOKS: Final = {
    TargetState.LIVE: ("dot", "live"),
    TargetState.HUNG: ("waiting", "waiting"),
    TargetState.ENDED: ("ended", "text_quiet"),
    TargetState.POST_MORTEM: ("tombstone", "alarm"),
    TargetState.RECORDED: ("recorded", "text_quiet"),
}
"""Icon and token of each state."""
PAUSED_LOOKS: Final = ("pause", "waiting")


class TargetChip(QFrame):
    """Name, pid and state of the target; a click opens a menu of sessions."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No target."""
        super().__init__(parent)
        self.setObjectName("chip")
        self._theme = theme
        self._target: Target | None = None
        self._is_paused = False
        self.menu = QMenu(self)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._icon = text_label()
        self._name = ElidedLabel()
        self._state = text_label()
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 0, 8, 0)
        line.setSpacing(6)
        line.addWidget(self._icon)
        line.addWidget(self._name, 1)
        line.addWidget(self._state)
        line.addWidget(text_label("▾"))
        self.setFixedWidth(260)
        self.show_target(None)

    def show_target(self, target: Target | None) -> None:
        """``None``: no target is attached. The same one again changes nothing."""
        if target != self._target or target is None:
            self._target = target
            self._show()

    def show_paused(self, paused: bool) -> None:
        """The tables stand still while the target runs on."""
        if paused != self._is_paused:
            self._is_paused = paused
            self._show()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open the menu."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space, Enter and Down open the menu."""
        if event.key() in (
            Qt.Key.Key_Space,
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Down,
        ):
            self.menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
        else:
            super().keyPressEvent(event)

    def _show(self) -> None:
        target = self._target
        if target is None:
            name, state, looks = "No target", "", ("ring", "text_quiet")
            self.setToolTip("Attach to a process to begin")
        else:
            name, state, looks = (
                f"{target.name} · {target.pid}",
                str(target.state),
                STATE_LOOKS[target.state],
            )
            if self._is_paused:
                state, looks = f"{state}, paused", PAUSED_LOOKS
            why = f"\n{target.state}: {target.reason}" if target.reason else ""
            self.setToolTip(
                plain_tip(f"{target.command}\n{target.runtime}, process {target.pid}{why}")
            )
        self._icon.setPixmap(
            pixmap(looks[0], getattr(self._theme, looks[1]), 14, self.devicePixelRatioF())
        )
        self._name.set_whole(name)
        self._state.setText(state)
        self._state.setStyleSheet(f"color: {getattr(self._theme, looks[1])}")
        self.setAccessibleName(f"Target: {name} · {state}" if state else f"Target: {name}")

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self._show()
