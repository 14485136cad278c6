"""The agent in a real program: its files and threads, its traces, and its answers to a viewer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from inspector.vocabulary import Level, Reference
from inspector.wire.schema import Ending
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import PATIENCE_SECS, Target, start_target


def traces_become(target: Target, expected: dict[str, Any]) -> None:
    """The target's traces are, or soon are, as expected.

    A thread that was joined is among the kernel's tasks for a moment more.

    Python says that a thread has ended just before it does, and the kernel wakes a joining thread
    before it takes the task out of the list.
    """
    deadline = time.monotonic() + PATIENCE_SECS
    while (traces := target.ask("traces")) != expected and time.monotonic() < deadline:
        pass
    assert traces == expected


def test_starting_loads_nothing_that_a_target_does_not_use() -> None:
    with start_target("agent_steps") as target:
        target.ask("start")
        assert target.ask("heavy") == []


def test_stopping_leaves_no_thread_hook_socket_or_file() -> None:
    with start_target("agent_steps") as target:
        before = target.ask("traces")
        segment = Path(target.ask("start"))
        running = target.ask("traces")
        assert segment.exists()
        assert segment.with_suffix(".sock").is_socket()
        assert running["is_running"]
        assert running["native_threads"] > before["native_threads"]
        target.ask("stop")
        traces_become(target, before)
        assert not segment.exists()
        assert not segment.with_suffix(".sock").exists()
        assert target.finish() == 0
        assert target.errors() == ""


def test_a_program_that_ends_after_its_agent_stopped_leaves_an_empty_folder() -> None:
    with start_target("agent_steps") as target:
        folder = Path(target.ask("start")).parent
        target.ask("stop")
        assert target.finish() == 0
        assert list(folder.iterdir()) == []


def test_starting_and_stopping_fifty_times_leaves_nothing() -> None:
    with start_target("agent_steps") as target:
        before = target.ask("traces")
        target.ask("often 1")
        exits = target.ask("exits")
        target.ask("often 50")
        traces_become(target, before)
        assert target.ask("exits") == exits
        assert target.finish() == 0
        assert target.errors() == ""


def test_starting_a_running_agent_only_changes_the_level() -> None:
    with start_target("agent_steps") as target:
        segment = target.ask("start count")
        running = target.ask("traces")
        assert target.ask("start history") == segment
        assert target.ask("traces") == running
        assert read_table(segment).level is Level.HISTORY


def test_a_stopped_and_restarted_agent_shows_the_same_handles() -> None:
    with start_target("todo") as target:
        number = target.ask("item first milk")
        target.ask("stop")
        second = target.ask("item second bread")
        segment = target.ask("start")
        rows = {row.number: row.type for row in read_table(segment).live()}
        assert rows == {number: "TodoItem", second: "TodoItem"}


def test_handles_born_before_the_agent_are_in_the_table() -> None:
    with start_target("todo", "none") as target:
        number = target.ask("item first milk")
        segment = target.ask("start")
        assert [row.number for row in read_table(segment).live()] == [number]


def test_the_segment_says_what_runs() -> None:
    with start_target("todo", "stacks") as target:
        table = read_table(target.ready["segment"])
        assert table.pid == target.pid
        assert table.level is Level.STACKS
        assert table.program.endswith("tests/targets/todo.py stacks")
        assert table.runtime.startswith("CPython 3.")
        assert table.ending is Ending.NOT_YET


def test_a_program_that_ends_takes_its_segment_along() -> None:
    with start_target("todo") as target:
        segment = Path(target.ready["segment"])
        target.ask("item first milk")
        assert target.finish() == 0
        assert target.errors() == ""
        assert not segment.exists()
        assert not segment.with_suffix(".sock").exists()


def test_a_forced_collection_frees_the_handles_of_garbage_and_says_how_many() -> None:
    with start_target("todo", "count") as target:
        segment = target.ready["segment"]
        numbers = [target.ask(f"cycle {name}") for name in ("a", "b", "c")]
        with connect(segment, target.pid) as viewer:
            report = ask(viewer, "gc")
        assert report["released"] == 3
        assert report["collected"] >= 3
        assert report["took_nanos"] > 0
        table = read_table(segment)
        assert {table.row(number).reference for number in numbers} == {Reference.DROPPED}
        assert [collection.is_forced for collection in table.collections][-1]


def test_threads_have_the_names_that_python_gave_them() -> None:
    with start_target("todo") as target:
        target.ask("journal j /dev/null")
        cursor = target.ask("cursor c j")
        with connect(target.ready["segment"], target.pid) as viewer:
            ask(viewer, "threads")
        table = read_table(target.ready["segment"])
        assert table.row(cursor).created_by == "owner-c"
        assert table.threads[target.pid] == "MainThread"


def test_the_holders_of_a_handle_are_named() -> None:
    with start_target("todo") as target:
        number = target.ask("item kept milk")
        with connect(target.ready["segment"], target.pid) as viewer:
            answer = ask(viewer, "referrers", handle=number)
        assert any("'kept'" in line for line in answer["referrers"]), answer


def test_a_scan_of_a_program_without_foreign_packages_finds_nothing_more() -> None:
    with start_target("todo") as target, connect(target.ready["segment"], target.pid) as viewer:
        assert ask(viewer, "scan")["rows"] == 0


def test_a_viewer_can_send_the_agent_away_and_the_program_runs_on() -> None:
    with start_target("todo") as target:
        number = target.ask("item first milk")
        with connect(target.ready["segment"], target.pid) as viewer:
            ask(viewer, "detach")
        target.ask("stop")  # waits for the agent that is on its way out, and finds nothing to stop
        assert not Path(target.ready["segment"]).exists()
        assert target.ask("numbers") == {"first": number}
        assert target.finish() == 0
        assert target.errors() == ""


def test_the_birthplace_is_one_frame_at_history_and_the_way_there_at_stacks() -> None:
    with start_target("todo", "history") as target:
        number = target.ask("item first milk")
        row = read_table(target.ready["segment"]).row(number)
    with start_target("todo", "stacks") as target:
        number = target.ask("item first milk")
        deep = read_table(target.ready["segment"]).row(number)
    assert len(row.created) == 1
    assert row.created[0].startswith("todo.py:")
    assert row.created[0].endswith(" Program.item")
    assert deep.created[0] == row.created[0]
    assert [frame.rpartition(" ")[2] for frame in deep.created[-3:]] == [
        "serve",
        "main",
        "<module>",
    ]


def test_below_history_no_birthplace_is_looked_for() -> None:
    with start_target("todo", "count") as target:
        number = target.ask("item first milk")
        assert read_table(target.ready["segment"]).row(number).created == ()
