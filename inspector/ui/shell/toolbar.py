"""The toolbar: the target and its state, the recording level, the reading rate, and the actions."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QSizePolicy, QToolBar, QWidget

from inspector.model.snapshot import Target, TargetState
from inspector.ui.kit.assets import pixmap
from inspector.ui.kit.labels import ElidedLabel, plain_tip, text_label
from inspector.ui.kit.theme import Theme
from inspector.ui.session.attachment import DEFAULT_RATE_HZ, RATES_HZ, Situation
from inspector.ui.shell.actions import Actions
from inspector.vocabulary import Level

STATE_LOOKS: Final = {
    TargetState.LIVE: ("dot", "live"),
    TargetState.HUNG: ("waiting", "waiting"),
    TargetState.ENDED: ("ended", "text_quiet"),
    TargetState.POST_MORTEM: ("tombstone", "alarm"),
    TargetState.RECORDED: ("recorded", "text_quiet"),
}
"""Icon and token of each state."""
LEVEL_HINTS: Final = {
    Level.OFF: "off: handles work, nothing is recorded",
    Level.COUNT: "count: rows, counts, births and deaths, threads",
    Level.HISTORY: "history: events too, and one frame of site",
    Level.STACKS: "stacks: whole stacks as sites",
}


class TargetChip(QFrame):
    """Name, pid and state of the target."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """No target."""
        super().__init__(parent)
        self.setObjectName("chip")
        self._theme = theme
        self._target: Target | None = None
        self._icon = text_label()
        self._name = ElidedLabel()
        self._state = text_label()
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 3, 8, 3)
        line.setSpacing(6)
        line.addWidget(self._icon)
        line.addWidget(self._name, 1)
        line.addWidget(self._state)
        self.setFixedWidth(260)
        self.show_target(None)

    def show_target(self, target: Target | None) -> None:
        """``None``: no target is attached. The same one again changes nothing."""
        if target != self._target or target is None:
            self._target = target
            self._show()

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


class ToolBar(QToolBar):
    """Assembled from the actions."""

    level_wanted = Signal(object)
    """``Level``; a person chose it."""
    rate_wanted = Signal(float)
    """Snapshots a second; a person chose it."""

    def __init__(self, theme: Theme, actions: Actions, parent: QWidget | None = None) -> None:
        """No target."""
        super().__init__("Tools", parent)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.chip = TargetChip(theme)
        self.level = self._level_box()
        self.rate = self._rate_box()
        self.addWidget(self.chip)
        self.addWidget(_gap(8))
        self.addWidget(self.level)
        self.addAction(actions["pause"])
        self.addWidget(self.rate)
        self.addSeparator()
        for key in ("mark", "record", "screenshot"):
            self.addAction(actions[key])
        self.addSeparator()
        for key in ("arm", "gc", "close"):
            self.addAction(actions[key])
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        for key in ("attach", "detach", "theme", "commands"):
            self.addAction(actions[key])
        self._name_buttons(actions)
        self.set_compact(compact=False)

    def set_compact(self, *, compact: bool) -> None:
        """Icons alone without room for words; the icons on the right always."""
        style = (
            Qt.ToolButtonStyle.ToolButtonIconOnly
            if compact
            else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        )
        for action in self.actions():
            button = self.widgetForAction(action)
            if button is not None and action.objectName() in (
                "pause",
                "mark",
                "record",
                "screenshot",
                "arm",
                "gc",
                "close",
            ):
                button.setToolButtonStyle(style)  # type: ignore[attr-defined] # a QToolButton
        self.chip.setFixedWidth(200 if compact else 260)

    def apply(self, now: Situation) -> None:
        """Enable the choices."""
        self.level.setEnabled(now.attached and now.can.levels)
        self.level.setToolTip(
            "Level of recording in the target"
            if now.can.levels
            else f"Level of recording in the target; not now: {now.can.reason or 'read only'}"
        )
        self.rate.setEnabled(now.attached and now.answers)

    def show_level(self, target: Target) -> None:
        """The level in force, without asking for it.

        None where nothing of ours is in the target.
        """
        self.level.setCurrentIndex(-1 if target.from_outside else self.level.findData(target.level))

    def _level_box(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName("Level: what the target records")
        for level in Level:
            box.addItem(level.name.capitalize(), level)
            box.setItemData(box.count() - 1, LEVEL_HINTS[level], Qt.ItemDataRole.ToolTipRole)
        box.setPlaceholderText("Outside")
        box.setCurrentIndex(int(Level.COUNT))
        box.activated.connect(lambda at: self.level_wanted.emit(box.itemData(at)))
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return box

    def _rate_box(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName("Refresh rate")
        box.setToolTip("How often snapshots are read")
        for rate in RATES_HZ:
            box.addItem(f"{rate:g} Hz", rate)
        box.setCurrentIndex(RATES_HZ.index(DEFAULT_RATE_HZ))
        box.activated.connect(lambda at: self.rate_wanted.emit(box.itemData(at)))
        return box

    def _name_buttons(self, actions: Actions) -> None:
        for action in actions.all():
            button = self.widgetForAction(action)
            if button is not None:
                button.setAccessibleName(action.text())
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)


def _gap(width: int) -> QWidget:
    gap = QWidget()
    gap.setFixedWidth(width)
    return gap
