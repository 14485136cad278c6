"""All uses of a snapshot by the product: a case must survive them, and print harmless text."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from unittest import mock

import numpy as np

from inspector.commands.findings import _print as print_report
from inspector.commands.findings import report_value
from inspector.commands.handles import print_handles
from inspector.commands.pending import _print as print_pending
from inspector.commands.pending import closes_value
from inspector.commands.support.output import json_text
from inspector.commands.support.rows import snapshot_value
from inspector.model.balance import balance_of, of_object, of_type
from inspector.model.calls import calls_in_flight
from inspector.model.churn import ChurnHistory
from inspector.model.codec import decode, encode
from inspector.model.columns import TABLE_COLUMNS
from inspector.model.delta import applied, changes_since
from inspector.model.diff import diff
from inspector.model.equation import equation_of
from inspector.model.event_rows import EventWish, event_rows
from inspector.model.events import EventBatch, Events
from inspector.model.filter import parse
from inspector.model.findings.finding import Facts
from inspector.model.findings.judge import judge
from inspector.model.findings.trend import Trend
from inspector.model.flame import Weight, build_flames
from inspector.model.grouping import Query, arrange, hold
from inspector.model.losses import losses_of, notes_of, refused_of
from inspector.model.marks import mark_now
from inspector.model.pending import pending_closes
from inspector.model.rates import RateWindow
from inspector.model.snapshot import Snapshot
from inspector.model.stillness import stands_still
from inspector.model.thread_matrix import thread_matrix
from inspector.model.thread_stacks import stack_lines
from inspector.model.threads import thread_table
from tests.helpers.screens import assert_harmless
from tests.helpers.snapshots import big_snapshot

FILTERS = (
    "type:Todo state:live",
    "thread:worker strong>1",
    "age>1s -site:x native>=0",
    "born:10:00..",
    "#1.1 owner:x created:y ended:z",
)
MOST_LOOKED_AT = 3
"""Rows and types to look at singly."""


@contextlib.contextmanager
def listened(columns: int = 80) -> Iterator[io.StringIO]:
    """Text printed meanwhile on a terminal of that width, which has to be harmless."""
    screen = io.StringIO()
    with mock.patch.dict(os.environ, {"COLUMNS": str(columns)}), contextlib.redirect_stdout(screen):
        yield screen
    assert_harmless(screen.getvalue())


def look_at_snapshot(snapshot: Snapshot, events: Events | None = None) -> None:
    """As commands, exports and panes do."""
    _print_all(snapshot, events)
    _arrange(snapshot)
    _look_at_rows(snapshot)
    _look_at_time(snapshot)
    _save(snapshot)
    if events is not None:
        look_at_events(snapshot, events)


def _print_all(snapshot: Snapshot, events: Events | None) -> None:
    arranged = arrange(snapshot, Query(tombstones=True, moment_secs=0.0))
    assert_harmless(json_text(snapshot_value(snapshot, np.sort(arranged.order)[:50].tolist())))
    closes = pending_closes(snapshot)
    trend = Trend(min_gap_secs=0.1)
    trend.observe(snapshot)
    report = judge(Facts(snapshot, trend, events))
    assert_harmless(json_text(report_value(snapshot, report)))
    assert_harmless(json_text(closes_value(snapshot, None)))
    with listened():
        print_handles(snapshot, arranged, 20)
        print_pending(snapshot, closes)
        print_report(snapshot, report)


def _arrange(snapshot: Snapshot) -> None:
    previous = arrange(big_snapshot(5), Query())
    for column in TABLE_COLUMNS:
        previous = arrange(snapshot, Query(column=column.key, descending=True))
    hold(previous, snapshot, Query())
    hold(arrange(big_snapshot(5), Query()), snapshot, Query())
    for text in FILTERS:
        parse(text).mask(snapshot)


def _look_at_rows(snapshot: Snapshot) -> None:
    for weight in Weight:
        build_flames(snapshot, weight)
    thread_matrix(snapshot)
    thread_table(snapshot)
    stack_lines(snapshot)
    calls_in_flight(snapshot)
    for counted in (losses_of, refused_of, notes_of):
        counted(snapshot.lost)
    for row in range(min(len(snapshot.handles), MOST_LOOKED_AT)):
        equation_of(snapshot.handles, row, snapshot.types.get(int(snapshot.handles.types[row])))


def _look_at_time(snapshot: Snapshot) -> None:
    history, rates = ChurnHistory(), RateWindow()
    before = big_snapshot(20)
    for vitals in (before.vitals, snapshot.vitals):
        history.add(vitals)
        rates.add(vitals)
    begin, end = history.first_at, history.last_at
    history.totals(begin, end)
    history.rates(10.0)
    for type_index in (None, *list(snapshot.types)[:MOST_LOOKED_AT]):
        history.live_line(begin, end, points=200, type_index=type_index)
        history.rates(10.0, type_index)
    history.busiest_types(begin, end, 5)
    for type_index in list(snapshot.types)[:MOST_LOOKED_AT]:
        rates.per_type(type_index)
    diff(mark_now(before, "a"), mark_now(snapshot, "b")).total()
    diff(mark_now(snapshot, "a"), mark_now(snapshot, "b")).total()
    stands_still(before, snapshot, moment_secs=1.0)


def _save(snapshot: Snapshot) -> None:
    decode(encode(snapshot))
    before = big_snapshot(20)
    applied(before, *changes_since(before, snapshot))


def look_at_events(snapshot: Snapshot, events: Events) -> None:
    """As the event pane does."""
    rows = event_rows(events, snapshot, EventWish())
    for row in range(min(len(rows), MOST_LOOKED_AT)):
        rows.type_name(row)
        rows.thread_name(row)
    for handle in snapshot.handles.ids[:MOST_LOOKED_AT].tolist():
        balance_of(events.take(of_object(events, snapshot, handle)), snapshot.sites)
    for type_index in list(snapshot.types)[:MOST_LOOKED_AT]:
        balance_of(events.take(of_type(events, snapshot, type_index)), snapshot.sites)


def look_at_batch(snapshot: Snapshot, batch: EventBatch) -> None:
    """As a session hands events on."""
    look_at_snapshot(snapshot, batch.events if len(batch.events) else None)
