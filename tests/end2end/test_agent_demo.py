"""The demo has something for every pane, and ends on request."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from inspector.vocabulary import Resource
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import start_command

DEMO = [sys.executable, "-m", "inspector.demo"]


def test_the_calm_demo_shows_the_same_each_time() -> None:
    counts = []
    for _ in range(2):
        with start_command([*DEMO, "--calm"]) as target:
            counts.append(Counter(row.type for row in read_table(target.ready["segment"]).live()))
    assert counts[0] == counts[1]
    assert set(counts[0]) == {"TodoList", "TodoItem", "Journal", "Cursor"}


def test_the_calm_demo_has_a_close_that_drains_and_one_that_waits_for_its_owner() -> None:
    with start_command([*DEMO, "--calm"]) as target:
        waiting = {
            row.type: row.resource
            for row in read_table(target.ready["segment"]).live()
            if row.resource > Resource.OPEN
        }
        assert waiting == {"Journal": Resource.DRAINING, "Cursor": Resource.WAITING_OWNER}


def test_the_leak_is_found_by_its_site() -> None:
    with start_command([*DEMO, "--calm"]) as target:
        sites = Counter(
            row.created[0].rpartition(" ")[2]
            for row in read_table(target.ready["segment"]).live("TodoItem")
        )
        assert sites.most_common(1)[0][0] == "remember_for_ever", sites


def test_a_forced_collection_frees_the_demos_garbage() -> None:
    with (
        start_command([*DEMO, "--calm"]) as target,
        connect(target.ready["segment"], target.pid) as viewer,
    ):
        assert ask(viewer, "gc")["released"] >= 8


def test_a_resource_of_the_demo_can_be_closed_from_outside_and_it_still_ends_well() -> None:
    with start_command([*DEMO, "--calm"]) as target:
        segment = target.ready["segment"]
        notes = next(
            row
            for row in read_table(segment).live("Journal")
            if row.created and row.created[0].endswith(" Demo.run")
        )
        with connect(segment, target.pid) as viewer:
            answers = ask(viewer, "close", handles=[notes.number], although_held=False)["answers"]
        assert [answer["outcome"] for answer in answers] == ["closed"], answers
        assert read_table(segment).row(notes.number).resource is Resource.CLOSED
        assert target.finish() == 0
        assert target.errors() == ""


def test_the_busy_demo_runs_native_and_python_threads() -> None:
    with start_command(DEMO) as target:
        wanted = {
            "MainThread",
            "planner-1",
            "planner-2",
            "planner-3",
            "reader",
            "archivist",
            "worker-1",
            "worker-2",
            "worker-3",
        }
        with connect(target.ready["segment"], target.pid) as viewer:
            while not wanted <= set(read_table(target.ready["segment"]).threads.values()):
                ask(viewer, "threads")


@pytest.mark.parametrize("how", ["stdin", "SIGTERM", "SIGINT"])
@pytest.mark.parametrize("mode", [[], ["--calm"]])
def test_the_demo_ends_when_it_is_told_and_leaves_nothing(how: str, mode: list[str]) -> None:
    with start_command([*DEMO, *mode]) as target:
        if how != "stdin":
            target.send_signal(signal.Signals[how])
        assert target.finish() == 0
        assert target.errors() == ""
        assert not Path(target.ready["segment"]).exists()


def test_the_demo_ends_after_the_time_that_it_is_given() -> None:
    with start_command([*DEMO, "--seconds", "0.1"]) as target:
        assert target.process.wait(60) == 0
