"""The Detail pane: everything about one handle, including dead handles."""

from __future__ import annotations

import math
from html import escape

import numpy as np
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from inspector.model import wording
from inspector.model.equation import equation_of
from inspector.model.filter import quoted
from inspector.model.findings.leads import Coverage
from inspector.model.snapshot import Snapshot
from inspector.model.states import ALIVE, state_words
from inspector.model.threads import filter_text
from inspector.ui.kit.labels import head_label, quiet_label, rich_label, rule, section_label
from inspector.ui.kit.layouts import flush_column
from inspector.ui.kit.pane_base import PaneBase
from inspector.ui.kit.theme import Theme
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.detail.history_lane import HistoryLane
from inspector.ui.panes.detail.state_lane import StateLane, reference_lane, resource_lane
from inspector.ui.panes.detail.who_holds import WhoHolds
from inspector.ui.session.findings_watch import COVERAGE_SECS
from inspector.ui.session.holder_questions import HolderQuestions
from inspector.vocabulary import PENDING, Kind, Level, Reference, Resource, handle_text

MAX_SIBLINGS = 12
"""Handles of the same object that are named one by one."""
FAILED_CALLS = "Failed calls"
FACTS = (
    "Created",
    "Site",
    "Changed",
    "Asked by",
    "Owner thread",
    "Last changed on",
    "Address",
    "Same object",
    FAILED_CALLS,
)


class DetailPane(PaneBase):
    """Shows the selected handle; keeps the last facts of a handle that left the table."""

    def __init__(
        self,
        theme: Theme,
        questions: HolderQuestions | None = None,
        lane: HistoryLane | None = None,
        colors: TypeColors | None = None,
    ) -> None:
        """Nothing selected.

        ``questions`` asks the target about holders; ``lane`` shows the history. Both may be left
        out.
        """
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self._questions = questions
        self._lane = lane
        self._colors = colors or TypeColors()
        self._snapshot: Snapshot | None = None
        self._handle: int | None = None
        self._coverage = Coverage()
        self._values: dict[str, QLabel] = {}
        self._names: dict[str, QLabel] = {}
        self._build()
        self.choose(None)

    # calls from other parts -----------------------------------------------------------------------

    @property
    def handle(self) -> int | None:
        """The handle that is shown."""
        return self._handle

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Newer facts.

        A handle that is no longer in the table keeps its last facts, and says so.
        """
        row = _row_of(snapshot, self._handle)
        if row >= 0:
            self._snapshot = snapshot
            self._refresh(row)
        elif self._handle is None:
            self._snapshot = snapshot
        else:
            self._gone.setVisible(True)

    def choose(self, handle: int | None, snapshot: Snapshot | None = None) -> None:
        """Show another handle, from ``snapshot`` or the last one given."""
        self._handle = handle
        self._snapshot = snapshot or self._snapshot
        self._gone.setVisible(False)
        row = _row_of(self._snapshot, handle) if self._snapshot is not None else -1
        self._scroll.setVisible(row >= 0)
        self._hint.setVisible(row < 0)
        self._hint.setText(
            "Select a handle to see its holders"
            if handle is None
            else f"{handle_text(handle)} is not in this snapshot"
        )
        if row >= 0:
            self._refresh(row)

    def show_coverage(self, coverage: Coverage) -> None:
        """The answer of the target's agent about failed calls."""
        self._coverage = coverage
        self._refresh(_row_of(self._snapshot, self._handle))

    def clear(self) -> None:
        """Forget handle and snapshot."""
        self._snapshot, self._coverage = None, Coverage()
        self.choose(None)

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        for widget in (self.who, self._reference, self._resource):
            widget.set_theme(theme)
        if self._lane is not None:
            self._lane.set_theme(theme)
        if self._snapshot is not None:
            self.choose(self._handle)

    # building -------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._hint = quiet_label("")
        self._hint.setObjectName("Why there is no handle")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setWordWrap(True)
        self._hint.setContentsMargins(16, 24, 16, 24)
        self._body = QWidget()
        inside = QVBoxLayout(self._body)
        inside.setContentsMargins(16, 12, 16, 16)
        inside.setSpacing(8)
        self._build_title(inside)
        self._build_count(inside)
        self._build_lanes(inside)
        self._build_facts(inside)
        inside.addStretch(1)
        self._scroll = scroll = QScrollArea(self)
        scroll.setAccessibleName("Detail")
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._body)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outside = flush_column(self)
        outside.addWidget(self._hint, 1)
        outside.addWidget(scroll, 1)
        self.setMinimumWidth(280)

    def _build_title(self, inside: QVBoxLayout) -> None:
        line = QHBoxLayout()
        self._title = head_label("")
        self._title.setObjectName("Handle")
        self._title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        copy = QPushButton("Copy id")
        copy.setProperty("flat", True)
        copy.clicked.connect(self._copy)
        line.addWidget(self._title)
        line.addStretch(1)
        line.addWidget(copy)
        self._type = rich_label()
        self._type.setObjectName("Type")
        self._type.linkActivated.connect(self._follow)
        self._gone = quiet_label(
            "No longer in the table: its slot is used again. These are its last facts"
        )
        self._gone.setObjectName("No longer in the table")
        self._gone.setWordWrap(True)
        inside.addLayout(line)
        inside.addWidget(self._type)
        inside.addWidget(self._gone)

    def _build_count(self, inside: QVBoxLayout) -> None:
        self.who = WhoHolds(self._theme, self._questions)
        self.who.handle_chosen.connect(self.handle_chosen)
        self.who.line_wanted.connect(self.line_wanted)
        if self._questions is not None:
            self._questions.native_named.connect(self.who.show_native)
            self._questions.retainers_found.connect(self.who.show_retainers)
            self._questions.progressed.connect(self.who.show_progress)
            self._questions.failed.connect(self.who.show_failure)
        inside.addWidget(rule())
        inside.addWidget(self.who)

    def _build_lanes(self, inside: QVBoxLayout) -> None:
        self._reference = StateLane(self._theme)
        self._resource = StateLane(self._theme)
        self._resource_title = section_label("Resource")
        inside.addWidget(rule())
        inside.addWidget(section_label("Reference"))
        inside.addWidget(self._reference)
        inside.addWidget(self._resource_title)
        inside.addWidget(self._resource)
        if self._lane is not None:
            inside.addWidget(section_label("History"))
            inside.addWidget(self._lane)

    def _build_facts(self, inside: QVBoxLayout) -> None:
        inside.addWidget(rule())
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for line, name in enumerate(FACTS):
            value = rich_label()
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
            value.linkActivated.connect(self._follow)
            value.setAlignment(Qt.AlignmentFlag.AlignTop)
            label = quiet_label(name)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            label.setBuddy(value)
            grid.addWidget(label, line, 0)
            grid.addWidget(value, line, 1)
            self._names[name], self._values[name] = label, value
        self._values[FAILED_CALLS].setToolTip(
            f"The target's agent is asked for it every {COVERAGE_SECS:g} s"
        )
        inside.addLayout(grid)

    # showing --------------------------------------------------------------------------------------

    def _refresh(self, row: int) -> None:
        snapshot = self._snapshot
        if snapshot is None or row < 0:
            return
        self._gone.setVisible(False)
        handles = snapshot.handles
        self._title.setText(handle_text(int(handles.ids[row])))
        self._type.setText(self._type_text(snapshot, row))
        known = snapshot.types.get(int(handles.types[row]))
        equation = equation_of(handles, row, known)
        self.who.show_handle(int(handles.ids[row]), equation, snapshot)
        if self._lane is not None:
            self._lane.show_handle(int(handles.ids[row]), snapshot)
        self._reference.show_lane(reference_lane(int(handles.references[row])))
        lane = resource_lane(int(handles.resources[row]))
        self._resource.show_lane(lane)
        self._resource_title.setVisible(lane is not None)
        for name, text in self._facts(snapshot, row).items():
            if self._values[name].text() != text:
                self._values[name].setText(text)
        is_called = snapshot.kind_of(row) is Kind.UNIFFI_FOREIGN
        for label in (self._names[FAILED_CALLS], self._values[FAILED_CALLS]):
            label.setVisible(is_called)

    def _facts(self, snapshot: Snapshot, row: int) -> dict[str, str]:
        handles = snapshot.handles
        born, changed = float(handles.created_at[row]), float(handles.changed_at[row])
        by = self._thread(snapshot, int(handles.created_threads[row]))
        words = state_words(int(handles.references[row]), int(handles.resources[row]))
        owner = int(handles.owner_threads[row])
        return {
            "Created": f"by {by}, {_ago(snapshot, born)}"
            if not math.isnan(born)
            else _unseen(snapshot),
            "Site": self._stack(snapshot, int(handles.created_sites[row])),
            "Changed": f"{escape(words)}, {_ago(snapshot, changed)}"
            if not math.isnan(changed)
            else wording.UNKNOWN_TEXT,
            "Asked by": self._requester(snapshot, row),
            "Owner thread": f"{self._thread(snapshot, owner)} alone may close it"
            if owner
            else "any thread may close it",
            "Last changed on": self._thread(snapshot, int(handles.last_threads[row])),
            "Address": f"0x{int(handles.addresses[row]):x}"
            if int(handles.addresses[row])
            else wording.UNKNOWN_TEXT,
            "Same object": self._siblings(snapshot, row),
            FAILED_CALLS: escape(self._coverage.failures_text(int(handles.ids[row]))),
        }

    def _requester(self, snapshot: Snapshot, row: int) -> str:
        handles = snapshot.handles
        requester = int(handles.requester_threads[row])
        reference, resource = int(handles.references[row]), int(handles.resources[row])
        awaited = self._coverage.awaited
        found = "" if awaited is None else awaited.threads.get(int(handles.ids[row]), "")
        if not requester and found and resource in PENDING:
            return f"{escape(found)} runs the close; it began before its class was followed"
        if not requester:
            return (
                "no call asked to close or release it"
                if reference == Reference.LIVE and resource not in PENDING
                else wording.UNKNOWN_TEXT
            )
        what = (
            "close" if resource in (*PENDING, Resource.CLOSED, Resource.CLOSE_FAILED) else "release"
        )
        site = int(handles.last_sites[row])
        where = f"<br>{self._stack(snapshot, site)}" if site else ""
        return f"{self._thread(snapshot, requester)} asked for the {what}{where}"

    def _type_text(self, snapshot: Snapshot, row: int) -> str:
        index = int(snapshot.handles.types[row])
        known = snapshot.types.get(index)
        if known is None:
            return f"type {index}"
        swatch = (
            f'<span style="color:{self._colors.color(known.name, self._theme).name()}">■</span>'
        )
        link = self._link(f"filter:type:{quoted(known.name)}", known.name)
        size = f", {known.size_bytes:,} bytes" if known.size_bytes >= 0 else ""
        origin = f" from {escape(known.origin)}" if known.origin else ""
        closes = (
            f"closes with {escape(known.close_signature or 'close()')}"
            if known.closes
            else "ends with its last reference"
            if known.kind.startswith("uniffi")
            else "did not opt in to closing"
        )
        return f"{swatch} <b>{link}</b>{origin}<br>{escape(known.kind)}{size}, {closes}"

    def _thread(self, snapshot: Snapshot, index: int) -> str:
        thread = snapshot.threads.get(index)
        if thread is None:
            return "an unknown thread" if not index else f"thread {index}"
        name = thread.label
        return self._link(f"filter:{filter_text(thread)}", name) + (
            "" if thread.alive else " (ended)"
        )

    def _stack(self, snapshot: Snapshot, index: int) -> str:
        site = snapshot.sites.get(index)
        if site is None and snapshot.target.from_outside:
            return "not known: the process is looked at from outside"
        if site is None:
            low = snapshot.target.level < Level.HISTORY
            return (
                "not recorded at this level: switch to history"
                if low
                else "not recorded: older than the agent or the level"
            )
        return "<br>".join(map(escape, site.lines()))

    def _siblings(self, snapshot: Snapshot, row: int) -> str:
        handles = snapshot.handles
        address = handles.addresses[row]
        if not address:
            return wording.UNKNOWN_TEXT
        alive = np.isin(handles.references, ALIVE)
        rows = [int(r) for r in np.flatnonzero((handles.addresses == address) & alive) if r != row]
        if not rows:
            return "no other handle names it"
        ids = [int(handles.ids[r]) for r in rows]
        links = [self._link(f"handle:{h}", handle_text(h)) for h in ids[:MAX_SIBLINGS]]
        rest = len(ids) - len(links)
        return ", ".join(links) + (f" and {rest:,} more" if rest else "")

    def _link(self, where: str, text: str) -> str:
        safe = bytes(QUrl.toPercentEncoding(where).data()).decode()
        return (
            f'<a href="{safe}" style="color:{self._theme.accent}; '
            f'text-decoration:none">{escape(text)}</a>'
        )

    def _follow(self, where: str) -> None:
        kind, _, value = QUrl.fromPercentEncoding(where.encode()).partition(":")
        if kind == "handle":
            self.handle_chosen.emit(int(value))
        else:
            self.filter_wanted.emit(value)

    def _copy(self) -> None:
        if self._handle is not None:
            QGuiApplication.clipboard().setText(handle_text(self._handle))


def _row_of(snapshot: Snapshot | None, handle: int | None) -> int:
    if snapshot is None or handle is None:
        return -1
    rows = np.flatnonzero(snapshot.handles.ids == np.uint64(handle))
    return int(rows[0]) if len(rows) else -1


def _unseen(snapshot: Snapshot) -> str:
    return "before the first look" if snapshot.target.from_outside else "before the agent started"


def _ago(snapshot: Snapshot, at: float) -> str:
    return f"{wording.age(snapshot.taken_at - at)} ago ({wording.clock(at)})"
