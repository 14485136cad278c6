"""The part *Stuck* of the verdict strip: the longest wait, and its place. GUI thread only."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from inspector.model.changes import ChangeTable
from inspector.model.findings.finding import Finding
from inspector.model.pending import PendingCloses, pending_closes
from inspector.model.snapshot import Snapshot
from inspector.model.verdict import Stuck, stuck_findings, stuck_of
from inspector.ui.kit.labels import ElidedLabel, set_flag, tip
from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.kit.theme import Theme
from inspector.ui.session.stack_watch import StackWatch
from inspector.ui.shell.verdict.link_label import LinkLabel

NOTHING = Stuck("Nothing is known yet")


class StuckPart(QWidget):
    """Two lines: the wait, and its thread."""

    handle_chosen = Signal(object)
    """``int``: the handle that waits was clicked."""
    pane_wanted = Signal(str)
    """Key of the pane that shows the whole chain."""
    line_wanted = Signal(str, int)
    """File and line where the thread waits."""

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, clock: RunningClock | None = None
    ) -> None:
        """Nothing is known. Ages are counted to ``clock``, the target's time."""
        super().__init__(parent)
        self._theme = theme
        self._stuck = NOTHING
        self._findings: tuple[Finding, ...] = ()
        self._snapshot: Snapshot | None = None
        self._closes: PendingCloses | None = None
        self._clock = clock or RunningClock(self)
        self._clock.ticked.connect(self._show)
        self._stacks: StackWatch | None = None
        self._title = QPushButton("STUCK")
        self._title.setProperty("flat", True)
        self._title.setProperty("section", True)
        self._title.setAccessibleName("Pending closes")
        self._title.setToolTip("Show all closes that wait, and their threads")
        self._title.clicked.connect(self._open)
        self.first = ElidedLabel()
        self.first.setObjectName("What waits")
        self.second = LinkLabel()
        self.second.setObjectName("Where it waits")
        self.second.setProperty("quiet", True)
        self.second.linkActivated.connect(self._follow)
        self._look = QPushButton("Show ▸")
        self._look.setProperty("flat", True)
        self._look.setAccessibleName("Show what waits")
        self._look.clicked.connect(self._open)
        self._lay_out()
        self._show()

    # calls from other parts -----------------------------------------------------------------------

    @property
    def stuck(self) -> Stuck:
        """The lines that are shown."""
        return self._stuck

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """A newer snapshot, also while the tables are paused."""
        self._clock.hear(snapshot)
        self._snapshot, self._closes = snapshot, pending_closes(snapshot)
        self._show()

    def show_table(self, table: ChangeTable | None) -> None:
        """Findings about closes and calls that wait."""
        self._findings = stuck_findings(table) if table is not None else ()
        self._show()

    def follow_stacks(self, stacks: StackWatch) -> None:
        """Name the lines where threads stand, as far as they were read."""
        self._stacks = stacks
        stacks.changed.connect(self._show)

    def set_paused(self, *, paused: bool) -> None:
        """Let ages stand still, or grow again."""
        self._clock.set_paused(paused)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self._show()

    def set_compact(self, *, compact: bool) -> None:
        """One line."""
        for part in (self._title, self.first, self._look):
            self._head.removeWidget(part)
        self._body.removeWidget(self.first)
        self._body.removeWidget(self.second)
        self._head.addWidget(self._title)
        if compact:
            self._head.addWidget(self.first, 1)
        self._head.addWidget(self._look)
        if not compact:
            self._body.insertWidget(1, self.first)
            self._body.insertWidget(2, self.second)
        self.second.setVisible(not compact)
        self._body.setContentsMargins(8, 0 if compact else 4, 8, 0)

    def clear(self) -> None:
        """Another target, or none."""
        self._clock.stop()
        self._snapshot, self._closes, self._findings = None, None, ()
        self._show()

    # inside ---------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self._head = head
        self._body = QVBoxLayout(self)
        self._body.setSpacing(2)
        self._body.addLayout(head)
        self._body.addStretch(1)
        self.set_compact(compact=False)

    def _show(self) -> None:
        if self._snapshot is None or self._closes is None:
            self._stuck = NOTHING
        else:
            self._stuck = self._stuck_now(self._snapshot, self._closes)
        stuck = self._stuck
        finding = self._findings[0] if self._findings and not stuck.is_alarm else None
        self.first.set_whole(finding.headline if finding else stuck.first)
        second = finding.evidence[0] if finding and finding.evidence else stuck.second
        self.second.show_text(second, self._linked(second))
        is_alarm = stuck.is_alarm or finding is not None
        for part in (self.first, self._title):
            set_flag(part, "waiting", on=is_alarm)
        self._look.setVisible(is_alarm)
        more = "\n".join(each.headline for each in self._findings)
        self.setToolTip(tip(more))

    def _stuck_now(self, snapshot: Snapshot, closes: PendingCloses) -> Stuck:
        """With the stacks of the snapshot, else of the newest reading."""
        reading = self._stacks.reading if self._stacks is not None else None
        if reading is None or snapshot.stacks or not len(closes):
            return stuck_of(snapshot, closes, self._clock.now)
        return stuck_of(reading.added_to(snapshot), closes, self._clock.now, reading.at)

    def _linked(self, text: str) -> str:
        """The sentence with its line of code as a link, as markup."""
        frame = self._stuck.frame
        if frame is None or not frame.file:
            return escape(text)
        name = f"{frame.file.rpartition('/')[2]}:{frame.line}"
        where = bytes(QUrl.toPercentEncoding(f"{frame.file}:{frame.line}").data()).decode()
        link = (
            f'<a href="{where}" style="color:{self._theme.accent}; '
            f'text-decoration:none">{escape(name)}</a>'
        )
        return escape(text).replace(escape(name), link)

    def _follow(self, where: str) -> None:
        file, _, line = QUrl.fromPercentEncoding(where.encode()).rpartition(":")
        self.line_wanted.emit(file, int(line))

    def _open(self) -> None:
        is_hung = self._stuck.is_alarm and not self._stuck.handle
        self.pane_wanted.emit("threads" if is_hung else "pending")
        if self._stuck.handle:
            self.handle_chosen.emit(self._stuck.handle)
