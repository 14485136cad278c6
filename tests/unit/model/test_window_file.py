"""The state of a window in a file: everything comes back, damage costs only itself."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest

from inspector.errors import FileFormatError
from inspector.model.change_groups import GroupBy
from inspector.model.change_trends import Observed
from inspector.model.churn import ChurnHistory
from inspector.model.diff import diff
from inspector.model.findings.finding import Finding, Verdict
from inspector.model.findings.judge import Report, all_rules
from inspector.model.findings.leads import Lead, LibraryLead
from inspector.model.holders import Cycle, CycleNode, CycleReport, PathStep, RetainerPath, Retainers
from inspector.model.marks import MarkedState, mark_now
from inspector.model.session_file import record
from inspector.model.snapshot import Snapshot
from inspector.model.stack_reading import StackReading
from inspector.model.stacks import ThreadStack
from inspector.model.stored_history import decode_history, encode_history
from inspector.model.stored_marks import decode_mark, encode_mark
from inspector.model.time_marks import Mark, MarkKind
from inspector.model.window_file import HEAD, MAGIC, NEWER, decode_state, encode_state
from inspector.model.window_state import (
    FoundHolders,
    Look,
    WindowState,
    saved_report,
)
from inspector.vocabulary import Reference
from tests.helpers.equality import same
from tests.helpers.events import events_of
from tests.helpers.snapshots import T0, Row, big_snapshot, make_vitals, snapshot_of

EARLIER = snapshot_of([Row(slot, age_secs=50) for slot in range(1, 9)], at=T0 - 30)
NOW = snapshot_of(
    [
        *(Row(slot, age_secs=80) for slot in range(1, 6)),
        Row(6, reference=Reference.DROPPED, age_secs=80, strong=0),
        Row(7, generation=2, age_secs=5),
        Row(20, age_secs=5),
    ]
)
REPORT = Report(
    T0,
    (
        Finding(
            "leak-suspect",
            Verdict.SUSPECT,
            "TodoItem grows",
            subject="TodoItem from app.py:41 add",
            evidence=("+3 since attach",),
            filter="type:TodoItem",
            handles=(Row(1).id, Row(20).id),
        ),
    ),
    all_rules(),
    12.5,
    all_rules()[3:4],
)
PATHS = Retainers(
    (RetainerPath((PathStep("global", "app.items", "/srv/app/app.py", 3),), is_rooted=True),),
    1,
    900,
    is_cut=False,
    longest_step_secs=0.002,
)


def history() -> ChurnHistory:
    """Uneven readings: even ones are packed to nothing."""
    made, births = ChurnHistory(), 0
    for step in range(400):
        births += step * 31 % 17
        at = T0 - 40 + step / 10 + step * 7919 % 97 / 5000
        made.add(make_vitals(at, (births + step, births), (births, births // 2)))
    return made


def whole_state() -> WindowState:
    return WindowState(
        look=Look(
            filter="type:TodoItem",
            group_by=GroupBy.SITE,
            column="live",
            opened=("t1",),
            row="s1/t2",
            handles=(Row(1).id,),
            pane="marks",
            is_count=True,
            baseline=1,
        ),
        readings=history().readings(),
        lines=(Mark(T0 - 40, MarkKind.ATTACH, "Attached"), Mark(T0 - 3, MarkKind.MARK, "mark 1")),
        attached=mark_now(EARLIER, "attach"),
        marks=(mark_now(EARLIER, "mark 1"), mark_now(NOW, "mark 2")),
        report=saved_report(REPORT),
        lead=Lead((LibraryLead("rpds", "PyO3 0.29.3", 8, 7, module="rpds"),)),
        holders=(FoundHolders("t2", Row(1).id, PATHS),),
        cycles=CycleReport(
            (Cycle((CycleNode("python", "app.Watcher", "items"),), "items", is_exact=True),),
            1,
            50,
            is_cut=False,
        ),
        stacks=StackReading(T0 - 1, (ThreadStack(7, "worker-2", "waits"),), notes=("cut",)),
        trends=(Observed(T0 - 1, {"t2": 5.0}), Observed(T0, {"t2": 6.0})),
        plain=(Observed(T0, {"t2": 6.0, "t1": 0.0}),),
        events=events_of((T0 - 2, "create", Row(1).id, 1)),
    )


def reopened(state: WindowState, snapshot: Snapshot = NOW) -> WindowState:
    return decode_state(encode_state(state, snapshot), snapshot)


def test_each_part_of_the_state_comes_back() -> None:
    state = whole_state()
    found = reopened(state)
    for field in dataclasses.fields(WindowState):
        assert same(getattr(found, field.name), getattr(state, field.name)), field.name
    assert found.report is not None
    assert found.report.report() == REPORT


def test_a_state_without_anything_is_read_as_such() -> None:
    assert same(reopened(WindowState()), WindowState())


@pytest.mark.parametrize("earlier", [EARLIER, NOW, snapshot_of(), big_snapshot(500, at=T0 - 9)])
def test_a_mark_keeps_handles_that_are_gone_and_handles_that_stayed(earlier: Snapshot) -> None:
    mark = mark_now(earlier, "before")
    found = decode_mark(encode_mark(mark, NOW), NOW)
    assert same(found, mark)
    assert same(diff(found, mark_now(NOW, "now")), diff(mark, mark_now(NOW, "now")))


def test_handles_that_stayed_cost_a_mark_next_to_nothing() -> None:
    snapshot = big_snapshot(20_000)
    assert len(encode_mark(mark_now(snapshot, "mark"), snapshot)) < 20_000 / 8


def test_marks_without_room_are_counted_and_the_baseline_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = whole_state()
    one = len(encode_mark(state.marks[1], NOW))
    monkeypatch.setattr("inspector.model.window_file.MOST_MARK_BYTES", one)
    found = reopened(state)
    assert [mark.name for mark in found.marks] == ["mark 2"]
    assert (found.look.baseline, found.attached) == (0, None)
    assert found.trouble == "not in the file: 2 marks"


def test_a_long_history_is_thinned_to_its_room_and_keeps_its_totals_and_peaks() -> None:
    kept = history()
    kept.add(make_vitals(T0 + 1, (9_000, 1_000), (1_000, 900)))
    readings = kept.readings()
    room = len(encode_history(readings)) * 2 // 3
    small = decode_history(encode_history(readings, most_bytes=room))
    assert len(small.at) < len(readings.at)
    assert (small.at[0], small.at[-1]) == (readings.at[0], readings.at[-1])
    assert small.totals[-1].tolist() == readings.totals[-1].tolist()
    assert small.live[:, 1].max() == readings.live[:, 1].max()


def test_a_newer_format_and_a_foreign_one_cost_the_state_alone() -> None:
    newer = HEAD.pack(MAGIC, 9, 0) + record(b"LOOK", b"{}")
    assert decode_state(newer, NOW).trouble == NEWER
    assert decode_state(b"arcview", NOW).trouble.endswith("is damaged, so it is not shown")


def test_a_kind_of_record_that_is_not_known_is_skipped() -> None:
    data = encode_state(whole_state(), NOW) + record(b"ZZZZ", b"later")
    assert same(decode_state(data, NOW).look, whole_state().look)


def test_a_damaged_record_is_named_and_costs_only_itself() -> None:
    data = encode_state(whole_state(), NOW)
    at = data.index(b"FIND") + 20
    found = decode_state(data[:at] + b"oops" + data[at + 4 :], NOW)
    assert found.trouble == "the findings are damaged and left out"
    assert found.report is None
    assert len(found.marks) == 2


def test_no_bytes_make_the_reader_fail() -> None:
    data = bytearray(encode_state(whole_state(), NOW))
    chance = random.Random(7)  # noqa: S311 - the same damage in each run
    for _ in range(150):
        place = chance.randrange(len(data))
        before, data[place] = data[place], chance.randrange(256)
        decode_state(bytes(data), NOW)
        data[place] = before
    for end in range(0, len(data), 97):
        decode_state(bytes(data[:end]), NOW)


@pytest.mark.parametrize("seed", range(20))
def test_a_mark_of_any_bytes_is_refused_or_read(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same damage in each run
    data = bytearray(encode_mark(mark_now(EARLIER, "mark"), NOW))
    for _ in range(20):
        data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            found = decode_mark(bytes(data), NOW)
        except FileFormatError:
            continue
        assert isinstance(found, MarkedState)
        assert len(found.types) == len(found.ids) == len(found.strong)


def test_readings_of_any_bytes_are_refused_or_read() -> None:
    chance = random.Random(3)  # noqa: S311 - the same damage in each run
    for _ in range(60):
        data = bytearray(encode_history(history().readings()))
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            found = decode_history(bytes(data))
        except FileFormatError:
            continue
        assert np.all(np.diff(found.at) > 0)
