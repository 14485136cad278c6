"""The store of handles on a real target of our own runtime, from 1,000 to 1,000,000 live handles.

Times are processor time of the asking thread, so that other programs on the machine disturb them
little. The peers work on the same rows: the project's own computation in numpy, polars, and the
model that Qt has ready-made.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from inspector.attach.segment import Segment
from inspector.model.build import Moment, build_snapshot, table_snapshot
from inspector.model.filter import parse
from inspector.model.grouping import Query, arrange, hold
from inspector.model.marks import mark_now
from inspector.model.snapshot import Snapshot, Target, TargetState
from inspector.model.stored_table import StoredHandles
from inspector.session.source import SegmentSource
from tests.bench.conftest import StateGoal
from tests.helpers.aggregates import aggregate
from tests.helpers.targets import start_target
from tests.helpers.usage import usage_of

COUNTS: Final = (1_000, 100_000, 1_000_000)
ONLY: Final = os.environ.get("ARC_INSPECTOR_BENCH_HANDLES", "")
ROUNDS: Final = 7
CHANGED_SHARE: Final = 100
"""One of so many handles is replaced between two snapshots."""
QT_LIMIT: Final = 100_000
WHO: Final = Target(
    pid=1,
    name="scale.py",
    command="",
    runtime="",
    executable="",
    start_time=0,
    started_at=0.0,
    state=TargetState.LIVE,
)

pytestmark = pytest.mark.minutes


class Viewer:
    """Reads a target's segment, by the store or into numpy."""

    def __init__(self, segment: Segment) -> None:
        self._source = SegmentSource(segment)
        self._serial = 0

    def stored(self) -> Snapshot:
        source = self._source
        return table_snapshot(source.table(), source.names, source.codes, self._moment())

    def plain(self) -> Snapshot:
        source = self._source
        return build_snapshot(source.state(), source.names, source.codes, self._moment())

    def _moment(self) -> Moment:
        self._serial += 1
        return Moment(serial=self._serial, taken_at=time.time(), target=WHO)


@contextmanager
def viewer_of(handles: int) -> Iterator[tuple[Viewer, Callable[[int], None]]]:
    """A viewer of such a target, and a function that replaces so many of its handles."""
    with start_target("scale", "count") as target:
        target.ask(f"many {handles}")
        with Segment(Path(target.ready["segment"])) as segment:
            yield Viewer(segment), lambda count: target.ask(f"replace {count}")


def millis(work: Callable[[], Any], before: Callable[[], Any] = lambda: None) -> float:
    """Median processor time of ``work`` on this thread."""
    times = []
    for _ in range(ROUNDS):
        before()
        began = time.thread_time()
        kept = work()
        times.append((time.thread_time() - began) * 1000)
        del kept
    return statistics.median(times)


@pytest.mark.parametrize("handles", [each for each in COUNTS if not ONLY or str(each) == ONLY])
def test_the_store_of_many_handles(handles: int, goal: StateGoal) -> None:
    memory = usage_of(os.getpid()).memory_bytes
    with viewer_of(handles) as (viewer, replace):
        began = time.thread_time()
        shown = viewer.stored()
        first_ms = (time.thread_time() - began) * 1000
        quiet_ms = millis(viewer.stored)
        few = handles // CHANGED_SHARE
        keep = [shown, shown]  # a window keeps the snapshot that it shows while the next is made

        def look() -> None:
            keep[0], keep[1] = keep[1], viewer.stored()

        few_ms = millis(look, lambda: replace(few))
        all_ms = millis(look, lambda: replace(handles))
        per_handle = (usage_of(os.getpid()).memory_bytes - memory) / handles
        shown = keep[1]
        assert isinstance(shown.handles, StoredHandles)
        asked = Query(filter=parse("age>0s"), column="strong")
        sort_ms = millis(lambda: arrange(shown, Query()))
        filter_ms = millis(lambda: arrange(viewer.stored(), asked)) - quiet_ms
        held = arrange(shown, Query())
        replace(few)
        later = viewer.stored()
        hold_ms = millis(lambda: hold(held, later, Query()))
        mark = mark_now(shown, "mark")
        compare_ms = millis(lambda: aggregate(later, mark))
        lines_ms = millis(lambda: aggregate(later))
    named = f"{handles:,} handles"
    print(
        f"\n{named}: first table {first_ms:.1f} ms; snapshot when nothing changed {quiet_ms:.1f}, "
        f"{few:,} replaced {few_ms:.1f}, {handles:,} replaced {all_ms:.1f} ms; sort by age "
        f"{sort_ms:.1f}, filter and sort {filter_ms:.1f}, hold {hold_ms:.1f} ms; lines "
        f"{lines_ms:.1f}, against a mark {compare_ms:.1f} ms; {per_handle:.0f} bytes a handle"
    )
    if handles == max(COUNTS):
        goal(f"{named}: snapshot, {few:,} changed", few_ms, at_most=10, unit="ms")
        goal(f"{named}: snapshot, all changed", all_ms, at_most=50, unit="ms")
        goal(f"{named}: filter and sort", filter_ms, at_most=30, unit="ms")
        goal(f"{named}: against a mark", compare_ms, at_most=10, unit="ms")
        goal(f"{named}: memory of a handle", per_handle, at_most=150, unit="bytes")


@pytest.mark.parametrize("handles", [each for each in COUNTS if not ONLY or str(each) == ONLY])
def test_peers_of_the_store(handles: int, goal: StateGoal) -> None:
    """In turns with the store: build after a change, sort, count by type and site."""
    with viewer_of(handles) as (viewer, replace):
        few = handles // CHANGED_SHARE
        plain_ms = millis(viewer.plain, lambda: replace(few))
        viewer.stored()
        stored_ms = millis(viewer.stored, lambda: replace(few))
        plain, stored = viewer.plain(), viewer.stored()
        sort_ms = millis(lambda: arrange(stored, Query())), millis(lambda: arrange(plain, Query()))
        print(
            f"\n{handles:,} handles, {few:,} replaced: numpy {plain_ms:.1f} ms, store "
            f"{stored_ms:.1f} ms; sort: numpy {sort_ms[1]:.1f} ms, store {sort_ms[0]:.1f} ms"
        )
        _polars(plain, stored)
        if handles <= QT_LIMIT:
            print(f"  Qt's ready-made model, filled and sorted: {_ready_made(plain):.0f} ms")
    if handles > min(COUNTS):
        goal(f"{handles:,} handles: snapshot, numpy / store", plain_ms / stored_ms, at_least=3)


def _polars(plain: Snapshot, stored: Snapshot) -> None:
    """The same sort and the same counts in polars, which uses all cores: wall-clock time."""
    if find_spec("polars") is None:
        print("  polars is not installed: pip install polars")
        return
    polars = import_module("polars")
    handles = plain.handles
    frame = polars.DataFrame(
        {
            "type": handles.types,
            "site": handles.created_sites,
            "born": handles.created_at,
            "live": np.isin(handles.references, (1, 2)),
        }
    )
    ours, theirs = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        frame.sort(["type", "born"], maintain_order=True)
        sorted_at = time.perf_counter()
        arrange(stored, Query())
        arranged_at = time.perf_counter()
        frame.filter(polars.col("live")).group_by(["type", "site"]).agg(
            polars.len(), polars.col("born").min()
        )
        grouped_at = time.perf_counter()
        aggregate(stored)
        counted_at = time.perf_counter()
        theirs.append((sorted_at - began, grouped_at - arranged_at))
        ours.append((arranged_at - sorted_at, counted_at - grouped_at))
    for place, name in enumerate(("sort", "count by type and site")):
        pair = [statistics.median(each[place] for each in part) * 1000 for part in (theirs, ours)]
        print(f"  {name}: polars {pair[0]:.1f} ms, store {pair[1]:.1f} ms (by the clock)")


def _ready_made(snapshot: Snapshot) -> float:
    """Milliseconds to fill and sort Qt's own model with three columns of the same rows."""
    from PySide6.QtGui import QStandardItem, QStandardItemModel

    from inspector.vocabulary import handle_text

    began = time.thread_time()
    model = QStandardItemModel()
    handles = snapshot.handles
    for row in range(len(handles)):
        texts = handle_text(int(handles.ids[row])), "live", str(handles.strong[row])
        model.appendRow([QStandardItem(text) for text in texts])
    model.sort(0)
    return (time.thread_time() - began) * 1000
