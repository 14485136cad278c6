from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from inspector.model.filter import parse
from inspector.model.flame import NOT_RECORDED, FlameGraph, Weight, build_flames
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.model.stacks import Frame, Site
from inspector.vocabulary import Reference
from tests.helpers.snapshots import Row, big_snapshot, snapshot_of

STACKS = {
    1: Site(1, (Frame("add", "/src/app.py", 41), Frame("main", "/src/app.py", 7))),
    2: Site(2, (Frame("load", "/src/disk.py", 9), Frame("main", "/src/app.py", 7))),
}


def with_stacks(*rows: Row, size_bytes: int = 64) -> Snapshot:
    snapshot = snapshot_of(rows)
    types = {
        index: dataclasses.replace(row, size_bytes=size_bytes)
        for index, row in snapshot.types.items()
    }
    return dataclasses.replace(snapshot, sites=STACKS, types=types)


def values(graph: FlameGraph) -> dict[str, int]:
    return {flame.text: flame.value for flame in graph.flames}


def test_rows_are_counted_along_their_stacks_with_types_at_the_tips() -> None:
    graph = build_flames(
        with_stacks(Row(1, "TodoItem"), Row(2, "TodoItem"), Row(3, "Journal", site=2))
    )
    assert values(graph) == {
        "everything that lives": 3,
        "app.py:7 main": 3,
        "app.py:41 add": 2,
        "disk.py:9 load": 1,
        "TodoItem": 2,
        "Journal": 1,
    }
    assert graph.depth == 3


LIBRARY = "/usr/lib/python3.12"
RUN = Frame("Thread.run", f"{LIBRARY}/threading.py", 982)
INNER = Frame("Thread._bootstrap_inner", f"{LIBRARY}/threading.py", 1045)
OWN = Frame("work", "/src/threading.py", 3)
WAIT = Frame("Condition.wait", f"{LIBRARY}/threading.py", 355)
MODULE = Frame("_run_module_as_main", "<frozen runpy>", 198)


@pytest.mark.parametrize(
    ("frames", "shown"),
    [
        ((OWN, RUN, INNER), [OWN]),
        ((OWN, Frame("_run_code", "<frozen runpy>", 88), MODULE), [OWN]),
        ((WAIT, OWN, RUN, INNER), [OWN, WAIT]),
        ((RUN, INNER), [RUN]),
    ],
)
def test_the_frames_that_start_a_thread_or_the_program_take_no_level(
    frames: tuple[Frame, ...], shown: list[Frame]
) -> None:
    snapshot = dataclasses.replace(with_stacks(Row(1)), sites={1: Site(1, frames)})
    graph = build_flames(snapshot)
    assert [flame.text for flame in graph.flames[1:-1]] == [frame.short() for frame in shown]


def test_siblings_lie_side_by_side_the_largest_first_and_fill_no_more_than_their_parent() -> None:
    graph = build_flames(with_stacks(Row(1), Row(2), Row(3, site=2)))
    flames = {flame.text: flame for flame in graph.flames}
    assert flames["app.py:41 add"].left == 0
    assert flames["disk.py:9 load"].left == pytest.approx(2 / 3)
    for flame in graph.flames[1:]:
        parent = graph.flames[flame.parent]
        assert flame.left >= parent.left - 1e-9
        assert flame.left + flame.width <= parent.left + parent.width + 1e-9


def test_tombstones_are_not_alive() -> None:
    assert build_flames(with_stacks(Row(1), Row(2, reference=Reference.DROPPED))).total == 1


def test_rows_without_a_site_are_counted_and_shown_as_such() -> None:
    graph = build_flames(with_stacks(Row(1, site=0), Row(2)))
    assert graph.unrecorded == 1
    assert values(graph)[NOT_RECORDED] == 1


def test_bytes_count_each_object_once_and_leave_unknown_sizes_out() -> None:
    snapshot = with_stacks(Row(1, address=4096), Row(2, address=4096), Row(3))
    assert build_flames(snapshot, Weight.BYTES).total == 128
    unknown = with_stacks(Row(1), size_bytes=UNKNOWN)
    graph = build_flames(unknown, Weight.BYTES)
    assert (graph.total, graph.unsized) == (0, 1)


def test_a_rectangle_s_filter_shows_its_rows() -> None:
    snapshot = with_stacks(Row(1, "TodoItem"), Row(2, "Journal"), Row(3, "Journal", site=2))
    for flame in build_flames(snapshot).flames:
        mask = parse(flame.filter).mask(snapshot) if flame.filter else np.ones(3, dtype=np.bool_)
        assert np.count_nonzero(mask) == flame.value, flame


def test_nothing_alive_is_an_empty_root() -> None:
    graph = build_flames(snapshot_of())
    assert (graph.total, len(graph.flames)) == (0, 1)


def test_a_hundred_thousand_rows_add_up() -> None:
    snapshot = big_snapshot(100_000, tombstones=1000)
    graph = build_flames(snapshot)
    assert graph.total == 99_000
    tips = sum(flame.value for flame in graph.flames if flame.is_type)
    assert tips == graph.total


def test_a_tips_filter_names_the_program_s_line_not_the_wrapper_s() -> None:
    frames = (
        Frame("run", "/usr/lib/python3.11/asyncio/events.py", 84),
        Frame("add", "/src/app.py", 41),
    )
    snapshot = dataclasses.replace(with_stacks(Row(1, "TodoItem")), sites={1: Site(1, frames)})
    (tip,) = [flame for flame in build_flames(snapshot).flames if flame.is_type]
    assert tip.filter == 'type:"TodoItem" site:"app.py:41 add"'
    assert parse(tip.filter).mask(snapshot).tolist() == [True]
