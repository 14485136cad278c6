"""Computes the table of change about once a second, off the GUI thread. GUI thread otherwise.

The table follows the person's query. The verdict strip reads the plain table: all types, no filter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Signal

from inspector.model.change_facts import ChangeFacts
from inspector.model.change_groups import GroupBy
from inspector.model.change_trends import ChangeTrends, Observed
from inspector.model.changes import ChangeQuery, ChangeTable, change_table, with_trends
from inspector.model.churn import ChurnHistory
from inspector.model.findings.finding import Finding, Verdict
from inspector.model.findings.judge import Report
from inspector.model.past_rows import with_counters
from inspector.model.rates import RateWindow
from inspector.model.snapshot import Snapshot, Vitals
from inspector.model.window_state import WindowState
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.ui.session.mark_book import MarkBook
from inspector.ui.session.recorded_past import states_before, vitals_before

LOOK_SECS: Final = 1.0
"""From one table to the next, by the snapshots' own time."""
PLAIN: Final = ChangeQuery()
MOST_READINGS: Final = 600
"""Newest readings of a file that rates are computed of: more than ``RateWindow`` keeps."""
Tables = tuple[ChangeTable, ChangeTable]


class ChangeWatch(QObject):
    """The newest table of the person's query, and the plain table."""

    table_changed = Signal(object)
    """``ChangeTable`` of the query; ``None``: there is no target."""
    plain_changed = Signal(object)
    """``ChangeTable`` of all types; ``None``: there is no target."""
    told = Signal(str, str)
    """A sentence and its tone for the result bar."""

    def __init__(
        self,
        attachment: Attachment,
        runner: BackgroundRunner,
        findings: FindingsWatch,
        marks: MarkBook,
        parent: QObject | None = None,
    ) -> None:
        """No table yet."""
        super().__init__(parent)
        self._attachment = attachment
        self._marks = marks
        self._work = LatestWork(
            self, runner, self._tables, on_result=self._tell, on_error=self._fail
        )
        self._findings: tuple[Finding, ...] = ()
        self._holders: dict[int, str] = {}
        self.history: ChurnHistory | None = None
        """All counters of the session that are known, for a moment that has passed."""
        self.query = PLAIN
        self.plain: ChangeTable | None = None
        self._forget()
        attachment.began.connect(self.clear)
        attachment.finished.connect(self.clear)
        attachment.snapshot_seen.connect(self._look)
        attachment.snapshot_shown.connect(self._show)
        attachment.watched_again.connect(lambda _snapshot: self._work.ask())
        attachment.vitals_seen.connect(self._count)
        findings.report_changed.connect(self._judge)
        marks.baseline_changed.connect(self._work.ask)
        marks.changed.connect(self._ask_for_marks)

    def clear(self) -> None:
        """Another target, or none."""
        self._forget()
        self.table_changed.emit(None)
        self.plain_changed.emit(None)

    def ask(self, query: ChangeQuery) -> None:
        """Compute another table; ``table_changed`` follows."""
        if query != self.query:
            self.query = query
            self._work.ask()

    def learn_holders(self, holders: dict[int, str]) -> None:
        """Holders of handles that the target was asked about, by id."""
        self._holders |= holders
        if self.query.group_by is GroupBy.HOLDER:
            self._work.ask()

    def restore(self, state: WindowState) -> None:
        """Take the counters and small lines of a file."""
        self._plain_trends.restore(PLAIN.group_by, state.plain)
        self._trends.restore(self.query.group_by, state.trends)
        if state.readings is not None:
            for vitals in state.readings.newest(MOST_READINGS):
                self._rates.add(vitals)

    def observed(self) -> tuple[tuple[Observed, ...], tuple[Observed, ...]]:
        """The small lines of the person's table, and of the plain table."""
        return self._trends.observed(), self._plain_trends.observed()

    # inside ---------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._work.forget()
        self._rates, self._trends, self._plain_trends = _nothing_observed()
        self._newest_at = -math.inf
        self._shown_rates = self._rates
        self._looked_at = -math.inf
        self._findings, self._holders, self.plain = (), {}, None

    def _count(self, vitals: Vitals) -> None:
        self._rates.add(vitals)

    def _look(self, snapshot: Snapshot) -> None:
        if snapshot.taken_at < self._newest_at:  # a recording was wound back
            self._rates, self._trends, self._plain_trends = _nothing_observed()
        if not len(self._rates):
            for vitals in vitals_before(self._attachment.replay, snapshot.taken_at):
                self._rates.add(vitals)
        self._newest_at = snapshot.taken_at
        self._rates.add(snapshot.vitals)
        if not self._attachment.is_watched:
            return
        is_due = abs(snapshot.taken_at - self._looked_at) >= LOOK_SECS or self._is_first_rate()
        if is_due and not self._work.is_busy:
            self._looked_at = snapshot.taken_at
            self._work.ask()

    @property
    def knows_rates(self) -> bool:
        """The newest table has births and deaths a second."""
        rates = self.plain.facts.rates if self.plain is not None else None
        return rates is not None and len(rates) > 1

    def _is_first_rate(self) -> bool:
        """The table was made of the first counters alone, and now there are two of them."""
        return self.plain is not None and not self.knows_rates and len(self._rates) > 1

    def _show(self, snapshot: Snapshot) -> None:
        """After a pause the newest snapshot is shown at once."""
        if snapshot.is_past or (self.plain is not None and self.plain.facts.snapshot.is_past):
            self._work.ask()
        elif self.plain is None or self.plain.facts.snapshot is not snapshot:
            self._look(snapshot)

    def _judge(self, report: Report) -> None:
        suspects = tuple(
            each for each in report.findings if each.verdict is Verdict.SUSPECT and not each.muted
        )
        if suspects != self._findings:
            self._findings = suspects
            self._work.ask()

    def _ask_for_marks(self) -> None:
        if self.query.group_by is GroupBy.MARK:
            self._work.ask()

    def _tables(self) -> Callable[[], Tables] | None:
        newest, shown = self._attachment.snapshot, self._attachment.shown
        if newest is None:
            return None
        if shown is not None and shown.is_past:
            return self._past_tables(shown)
        facts = ChangeFacts(
            newest,
            self._marks.baseline,
            self._rates.copy(),
            self._findings,
            self._marks.baselines(),
            dict(self._holders),
        )
        query, trends, plain_trends = self.query, self._trends, self._plain_trends
        replay = self._attachment.replay

        def work() -> Tables:
            if not len(plain_trends):
                for earlier in states_before(replay, newest.taken_at):
                    past = ChangeFacts(earlier, facts.baseline)
                    change_table(past, PLAIN, plain_trends)
                    change_table(past, query, trends)
            plain = change_table(facts, PLAIN, plain_trends)
            if query == PLAIN and shown is newest:
                return plain, plain
            wanted = (
                facts
                if shown is None
                else ChangeFacts(
                    shown, facts.baseline, facts.rates, facts.findings, facts.marks, facts.holders
                )
            )
            return change_table(wanted, query, trends), plain

        return work

    def _past_tables(self, past: Snapshot) -> Callable[[], Tables]:
        """The tables of an earlier moment, with the counters and small lines up to it."""
        rates, at = RateWindow(), past.taken_at
        if self.history is not None and len(self.history):
            for vitals in self.history.readings().until(at).newest(MOST_READINGS):
                rates.add(vitals)
        book = self._marks
        facts = ChangeFacts(
            past, book.baseline, rates, self._findings, book.baselines(), dict(self._holders)
        )
        query, trends, plain = self.query, self._trends.until(at), self._plain_trends.until(at)
        return lambda: (
            with_trends(with_counters(change_table(facts, query)), trends),
            with_trends(with_counters(change_table(facts, PLAIN)), plain),
        )

    def _tell(self, tables: Tables) -> None:
        table, self.plain = tables
        self.plain_changed.emit(self.plain)
        self.table_changed.emit(table)

    def _fail(self, error: BaseException) -> None:
        self.told.emit(f"The table of change could not be computed: {error}", "alarm")


def _nothing_observed() -> tuple[RateWindow, ChangeTrends, ChangeTrends]:
    """Rates, and the small lines of the person's table and of the plain table."""
    return RateWindow(), ChangeTrends(), ChangeTrends()
