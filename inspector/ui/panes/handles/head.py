"""The head of the table: the filter, the grouping, dead rows, and the counts. GUI thread only."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from inspector.model import wording
from inspector.model.change_groups import GroupBy
from inspector.model.columns import FILTER_HELP
from inspector.ui.kit.assets import icon
from inspector.ui.kit.labels import quiet_label, set_flag, text_label
from inspector.ui.kit.theme import Theme

MOMENTS_SECS: Final = (0.5, 2.0, 5.0, 30.0)
FILTER_HINT: Final = (
    "Filter: words, type:Journal, state:pending, thread:worker, strong>1, age>10s, -not"
)
TYPING_MILLIS: Final = 120
"""Typing settles before a filter runs."""
WIDE: Final = 904
"""From so many pixels on each grouping has a button."""
STILL_SHOWN: Final = " · the table still shows the last good filter"


class GroupChoice(QWidget):
    """One button a grouping; a box in a narrow window."""

    chosen = Signal(object)
    """``GroupBy``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Grouped by type."""
        super().__init__(parent)
        self._buttons: dict[GroupBy, QPushButton] = {}
        self._group = QButtonGroup(self)
        self._label = quiet_label("Group by")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self._label)
        self._box = QComboBox()
        self._box.setAccessibleName("Group by")
        for group_by in GroupBy:
            button = QPushButton(group_by.value)
            button.setCheckable(True)
            button.setProperty("segment", True)
            button.setAccessibleName(f"Group by {group_by.value}")
            button.clicked.connect(lambda _on=False, group_by=group_by: self.choose(group_by))
            self._group.addButton(button)
            self._buttons[group_by] = button
            line.addWidget(button)
            self._box.addItem(f"Group: {group_by.value}", group_by)
        self._box.activated.connect(lambda place: self.choose(self._box.itemData(place)))
        line.addWidget(self._box)
        self.value = GroupBy.TYPE
        self.show_value(GroupBy.TYPE)
        self.set_wide(wide=True)

    def choose(self, group_by: GroupBy) -> None:
        """As if clicked."""
        self.show_value(group_by)
        self.chosen.emit(group_by)

    def show_value(self, group_by: GroupBy) -> None:
        """Show another grouping without telling."""
        self.value = group_by
        self._buttons[group_by].setChecked(True)
        self._box.setCurrentIndex(self._box.findData(group_by))

    def set_wide(self, *, wide: bool) -> None:
        """Buttons, or one box."""
        for part in (self._label, *self._buttons.values()):
            part.setVisible(wide)
        self._box.setVisible(not wide)


class TableHead(QWidget):
    """Filter field, grouping, dead rows; below them the counts or the error."""

    filter_typed = Signal()
    """The text in the field settled."""
    filter_left = Signal()
    """Enter was pressed in the field."""
    tombstones_wanted = Signal(bool)
    moment_wanted = Signal(float)
    """Seconds that new rows are marked."""
    sort_wanted = Signal()

    def __init__(self, parent: QWidget | None = None, *, moment_secs: float = 2.0) -> None:
        """No filter."""
        super().__init__(parent)
        self._has_text = self._has_problem = False
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MILLIS)
        self._build_field()
        self._build_moment(moment_secs)
        self._build_counts()
        self._lay_out()
        self._connect()

    # calls from other parts -----------------------------------------------------------------------

    def settle(self) -> None:
        """Take the typed text now."""
        self._typing.stop()

    def show_counts(self, text: str, *, arrivals: int) -> None:
        """The sentence below the field."""
        self._counts.setText(text)
        self._has_text = bool(text)
        self._show_second()
        self._arrivals.setText(f"{wording.plural(arrivals, 'new row')} out of place: sort in")
        self._arrivals.setVisible(arrivals > 0)

    def show_dead(self, count: int) -> None:
        """How many dead rows there are to be shown."""
        self.tombstones.setText(f"show {count:,} dead" if count else "show dead")

    def set_dead(self, *, shown: bool) -> None:
        """Whether dead rows are shown."""
        self.tombstones.setChecked(shown)

    def show_moment(self, secs: float) -> None:
        """How long new rows are marked."""
        self.moment.setText(f"{secs:g} s")

    def show_error(self, problem: str) -> None:
        """Why the filter cannot be used; the table keeps the rows of the last good filter."""
        self._error.setText(problem + STILL_SHOWN if problem else "")
        self._error.setVisible(bool(problem))
        self._counts.setVisible(not problem)
        self._has_problem = bool(problem)
        self._show_second()
        set_flag(self.field, "bad", on=bool(problem))

    def show_rows(self, *, of_handles: bool) -> None:
        """The mark of new rows belongs to the table of handles."""
        self.moment.setVisible(of_handles)

    def set_theme(self, theme: Theme) -> None:
        """Tint the icons."""
        self.moment.setIcon(icon("born", theme, tint="text_quiet"))
        self._search_icon.setIcon(icon("search", theme, tint="text_quiet"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Buttons where there is room."""
        super().resizeEvent(event)
        self.groups.set_wide(wide=self.width() >= WIDE)

    def _show_second(self) -> None:
        self._second.setVisible(self._has_text or self._has_problem)

    # building -------------------------------------------------------------------------------------

    def _build_field(self) -> None:
        self.field = QLineEdit(self, placeholderText=FILTER_HINT, clearButtonEnabled=True)
        self.field.setAccessibleName("Filter of the handle table")
        self.field.setToolTip(FILTER_HELP)
        self._search_icon = QAction(self)
        self.field.addAction(self._search_icon, QLineEdit.ActionPosition.LeadingPosition)
        self.groups = GroupChoice(self)
        self.tombstones = QCheckBox("show dead", self)
        self.tombstones.setAccessibleName("Show tombstones")
        self.tombstones.setToolTip(
            "Show dead rows: the most recent dead handles stay readable for a while"
        )

    def _build_moment(self, moment_secs: float) -> None:
        self.moment = QToolButton(self)
        self.moment.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.moment.setToolTip("How long new rows are green and dying rows red")
        self.moment.setAccessibleName("How long new and dying rows are marked")
        menu = QMenu(self.moment)
        for secs in MOMENTS_SECS:
            menu.addAction(f"{secs:g} s").triggered.connect(
                lambda _checked=False, secs=secs: self.moment_wanted.emit(secs)
            )
        self.moment.setMenu(menu)
        self.show_moment(moment_secs)

    def _build_counts(self) -> None:
        self._counts = quiet_label("")
        self._counts.setObjectName("Number of handles")
        self._error = text_label("", self)
        self._error.setObjectName("Error in the filter")
        self._error.setProperty("alarm", True)
        self._error.hide()
        self._arrivals = QPushButton("", self)
        self._arrivals.setObjectName("Sort in")
        self._arrivals.setProperty("flat", True)
        self._arrivals.setToolTip("They stand at the end of their type: click to sort them in")
        policy = self._arrivals.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # or the table moves when it appears
        self._arrivals.setSizePolicy(policy)
        self._arrivals.hide()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self.field, 1)
        first.addWidget(self.groups)
        first.addWidget(self.tombstones)
        first.addWidget(self.moment)
        self._second = QWidget(self)
        second = QHBoxLayout(self._second)
        second.setContentsMargins(4, 0, 0, 0)
        second.addWidget(self._error)
        second.addWidget(self._counts, 1)
        second.addWidget(self._arrivals)
        body = QVBoxLayout(self)
        body.setContentsMargins(8, 6, 8, 2)
        body.setSpacing(2)
        body.addLayout(first)
        body.addWidget(self._second)

    def _connect(self) -> None:
        self._typing.timeout.connect(self.filter_typed)
        self.field.textEdited.connect(lambda _text: self._typing.start())
        self.field.textChanged.connect(lambda text: None if text else self._typing.start())
        self.field.returnPressed.connect(self.filter_left)
        self.tombstones.toggled.connect(self.tombstones_wanted)
        self._arrivals.clicked.connect(self.sort_wanted)
