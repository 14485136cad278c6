"""Fork: the child is a target of its own and never writes into the parent's segment."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import start_target


def test_a_forked_child_has_a_segment_of_its_own_with_the_handles_that_it_inherited() -> None:
    with start_target("forking", "history") as target:
        inherited = target.ask("item before")
        child = target.ask("fork")
        own = target.ask("tell segment")
        assert own != target.ready["segment"]
        assert Path(own).name.startswith(f"{child}-")
        table = read_table(own)
        assert table.pid == child
        assert [row.number for row in table.live()] == [inherited]
        assert target.ask("end_child") == 0
        assert target.finish() == 0
        assert target.errors() == ""


def test_what_the_child_does_is_not_seen_in_the_parent_and_the_other_way_round() -> None:
    with start_target("forking", "history") as target:
        inherited = target.ask("item before")
        target.ask("fork")
        own = target.ask("tell segment")
        in_child = target.ask("tell item child")
        target.ask("tell release before")
        in_parent = target.ask("item parent")
        assert [row.number for row in read_table(target.ready["segment"]).live()] == [
            inherited,
            in_parent,
        ]
        assert [row.number for row in read_table(own).live()] == [in_child]
        assert target.ask("text before") == "before"
        assert target.ask("end_child") == 0


def test_a_child_that_ends_takes_only_its_own_segment_along() -> None:
    with start_target("forking", "history") as target:
        target.ask("fork")
        own = target.ask("tell segment")
        assert target.ask("end_child") == 0
        assert not Path(own).exists()
        assert Path(target.ready["segment"]).exists()
        assert read_table(target.ready["segment"]).pid == target.pid


def test_a_viewer_can_ask_the_child() -> None:
    with start_target("forking", "count") as target:
        child = target.ask("fork")
        with connect(target.ask("tell segment"), child) as viewer:
            assert ask(viewer, "gc")["took_nanos"] > 0
        target.ask("end_child")


def test_stopping_in_the_child_leaves_the_parent_running() -> None:
    with start_target("forking", "count") as target:
        target.ask("fork")
        target.ask("tell stop")
        with connect(target.ready["segment"], target.pid) as viewer:
            assert ask(viewer, "gc")["took_nanos"] > 0
        assert target.ask("end_child") == 0


def test_without_an_agent_a_fork_makes_no_segment_and_handles_work_on_both_sides() -> None:
    with start_target("forking", "none") as target:
        target.ask("item before")
        target.ask("fork")
        assert target.ask("tell segment") == ""
        assert target.ask("tell text before") == "before"
        target.ask("tell release before")
        assert target.ask("tell live") == 0
        assert target.ask("live") == 1
        assert target.ask("end_child") == 0
        assert target.finish() == 0
        assert target.errors() == ""


def test_a_child_of_multiprocessing_takes_its_segment_along() -> None:
    with start_target("multiprocess", "count") as target:
        path, text, status = target.ask("run")
        assert (text, status) == ("of the child", 0)
        assert path
        assert not Path(path).exists()
        assert target.finish() == 0
        assert target.errors() == ""
