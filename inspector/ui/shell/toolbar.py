"""The toolbar: the target, the baseline, the search field and the actions. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from inspector.model.marks import MarkedState
from inspector.model.snapshot import Target
from inspector.model.wording import age, clock
from inspector.ui.kit.labels import ElidedLabel, quiet_label
from inspector.ui.kit.theme import Theme
from inspector.ui.session.attachment import DEFAULT_RATE_HZ, RATES_HZ
from inspector.ui.session.situation import Situation
from inspector.ui.shell.actions import Actions
from inspector.ui.shell.target_chip import TargetChip
from inspector.vocabulary import Level

LEVEL_HINTS: Final = {
    Level.OFF: "off: handles work, nothing is recorded",
    Level.COUNT: "count: rows, counts, births and deaths, threads",
    Level.HISTORY: "history: events too, and one frame of site",
    Level.STACKS: "stacks: whole stacks as sites",
}
NO_BASELINE: Final = "attach"
SEARCH_TEXT: Final = "Search types, #ids, threads, commands …"
CHIP_WIDTHS: Final = (200, 260)
"""In a narrow and in a wide window."""
HEIGHTS: Final = (36, 40)
MENU_KEYS: Final = (
    ("open", "new_window", "demo", "tour"),
    ("save_table", "save_timeline", "save_pane"),
    ("filter", "clear_filter", "sort", "back", "forward"),
    ("theme", "system_theme", "reset_layout", "settings", "limits"),
    ("help", "shortcuts", "about", "quit"),
)
"""Actions of the menu, in groups."""
ACTING_KEYS: Final = ("arm", "gc", "close", "close_shown", "drain", "take_back", "audit")
SHORT_WORDS: Final = {"record": "Rec", "screenshot": "Shot"}


class ToolBar(QToolBar):
    """Assembled from the actions."""

    level_wanted = Signal(object)
    """``Level``; a person chose it."""
    rate_wanted = Signal(float)
    """Snapshots a second; a person chose it."""
    baseline_wanted = Signal(object)
    """``MarkedState`` that the table is to be compared with."""

    def __init__(self, theme: Theme, actions: Actions, parent: QWidget | None = None) -> None:
        """No target."""
        super().__init__("Tools", parent)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(18, 18))
        self._keep_margins()
        self._actions = actions
        self._baselines: tuple[MarkedState, ...] = ()
        self._tools: dict[str, QToolButton] = {}
        self.chip = TargetChip(theme)
        self.level = self._level_box()
        self.rate = self._rate_box()
        self.baseline = self._baseline_box()
        self.search = self._search_button()
        self.acting = self._acting_button()
        self.menu_button = self._menu_button()
        self._compare_label = quiet_label("Compare with")
        self._build()
        self.set_compact(compact=False)

    def _build(self) -> None:
        actions = self._actions
        for key in ("attach", "new_window", "detach"):
            self.chip.menu.addAction(actions[key])
        page = QWidget()
        page.setObjectName("toolbar_row")
        line = QHBoxLayout(page)
        line.setContentsMargins(8, 0, 8, 0)
        line.setSpacing(8)
        self.chip.setFixedHeight(28)
        line.addWidget(self.chip)
        line.addWidget(self._tool("pause", words=False))
        for widget in (self._compare_label, self.baseline, self._tool("mark", words=True)):
            line.addWidget(widget)
        line.addWidget(self.search, 1)
        for key in ("record", "screenshot"):
            line.addWidget(self._tool(key, words=True))
        line.addWidget(self.acting)
        line.addWidget(self.menu_button)
        self.addWidget(page)

    # calls from other parts -----------------------------------------------------------------------

    def set_compact(self, *, compact: bool) -> None:
        """Short words in a narrow window."""
        for key, short in SHORT_WORDS.items():
            self._actions[key].setIconText(short if compact else self._actions[key].text())
        for part in (self._compare_label, self.baseline):
            part.setVisible(not compact)
        self.chip.setFixedWidth(CHIP_WIDTHS[not compact])
        self.setFixedHeight(HEIGHTS[not compact])
        self._is_compact = compact
        self._name_acting()

    def apply(self, now: Situation) -> None:
        """Enable the choices."""
        self.level.setEnabled(now.attached and now.can.levels)
        self.level.setToolTip(
            "Level of recording in the target"
            if now.can.levels
            else f"Level of recording in the target; not now: {now.can.reason or 'read only'}"
        )
        self.rate.setEnabled(now.attached and now.answers)
        self.baseline.setEnabled(now.attached)
        self.chip.show_paused(now.paused)
        self._is_armed = now.armed
        self._name_acting()

    def show_level(self, target: Target) -> None:
        """The level in force, without asking for it.

        None where nothing of ours is in the target.
        """
        self.level.setCurrentIndex(-1 if target.from_outside else self.level.findData(target.level))

    def show_rate(self, rate_hz: float) -> None:
        """The rate in force, without asking for it."""
        self.rate.setCurrentIndex(RATES_HZ.index(rate_hz))

    def show_baselines(
        self, baselines: tuple[MarkedState, ...], chosen: MarkedState | None, now: float
    ) -> None:
        """The states to compare with, and their ages at ``now``, seconds since the Unix epoch."""
        if baselines != self._baselines:
            self._baselines = baselines
            self.baseline.clear()
            self.baseline.addItems([""] * len(baselines))
        if self.baseline.view().isVisible():
            return
        for place, mark in enumerate(baselines):
            ago = f" ({age(now - mark.at)} ago)" if now >= mark.at else ""
            self.baseline.setItemText(place, f"{mark.name} {clock(mark.at)[:8]}{ago}")
        places = [place for place, mark in enumerate(baselines) if mark is chosen]
        self.baseline.setCurrentIndex(places[0] if places else -1)

    def tool(self, key: str) -> QToolButton:
        """The button of an action."""
        return self._tools[key]

    def changeEvent(self, event: QEvent) -> None:
        """A theme brings margins of the style, which would cut the fields off at the bottom."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._keep_margins()

    # building -------------------------------------------------------------------------------------

    def _keep_margins(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(0, 0, 0, 0)

    def _tool(self, key: str, *, words: bool) -> QToolButton:
        button = QToolButton()
        self._tools[key] = button
        button.setDefaultAction(self._actions[key])
        button.setAccessibleName(self._actions[key].text())
        button.setObjectName(f"tool_{key}")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        style = Qt.ToolButtonStyle
        button.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if words else style.ToolButtonIconOnly
        )
        return button

    def _baseline_box(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName("Compare with")
        box.setToolTip("The table shows the change since this moment")
        box.setPlaceholderText(NO_BASELINE)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(22)
        box.setFixedHeight(28)
        box.activated.connect(lambda at: self.baseline_wanted.emit(self._baselines[at]))
        return box

    def _search_button(self) -> QPushButton:
        button = QPushButton()
        button.setObjectName("search")
        button.setAccessibleName("Search")
        button.setToolTip("Search types, ids, threads, lines, findings and commands (Ctrl+K)")
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.setMinimumWidth(96)
        button.setFixedHeight(28)
        button.clicked.connect(lambda: self._actions["commands"].trigger())
        inside = QHBoxLayout(button)
        inside.setContentsMargins(8, 0, 8, 0)
        hint = ElidedLabel(SEARCH_TEXT)
        hint.setProperty("quiet", True)
        hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside.addWidget(hint, 1)
        keys = quiet_label("Ctrl+K")
        keys.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside.addWidget(keys)
        return button

    def _acting_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("acting")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip("Force GC and Close change the target: they are off until switched on")
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        for key in ACTING_KEYS:
            menu.addAction(self._actions[key])
        button.setMenu(menu)
        self._is_armed = False
        return button

    def _name_acting(self) -> None:
        word = "on" if self._is_armed else "off"
        self.acting.setText(f"{word.capitalize()} ▾" if self._is_compact else f"Actions {word} ▾")
        self.acting.setAccessibleName(f"Actions {word}")
        self.acting.setProperty("armed", self._is_armed)
        self.acting.style().unpolish(self.acting)
        self.acting.style().polish(self.acting)

    def _menu_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("≡")
        button.setAccessibleName("Menu")
        button.setToolTip("All else: files, appearance, level, rate, help")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(button)
        for text, box in (("Target records", self.level), ("Read", self.rate)):
            row = QWidget()
            line = QHBoxLayout(row)
            line.setContentsMargins(12, 4, 12, 4)
            line.addWidget(quiet_label(text), 1)
            line.addWidget(box)
            entry = QWidgetAction(menu)
            entry.setDefaultWidget(row)
            menu.addAction(entry)
        for group in MENU_KEYS:
            menu.addSeparator()
            for key in group:
                menu.addAction(self._actions[key])
        button.setMenu(menu)
        return button

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
