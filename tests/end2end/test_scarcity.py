"""Scarce memory, stack and room: the program runs as without an agent; gaps are reported."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.attach import procfs
from inspector.attach.diagnosis import Method
from inspector.attach.inject import bring_agent
from tests.helpers.command_line import run_command
from tests.helpers.tables import read_table
from tests.helpers.targets import TARGETS, Target, start_command, start_target
from tests.helpers.unprepared import close_stdin, interpreter, unprepared
from tests.helpers.users import need_root

NOT_RECORDED = "forked without room for a segment of its own; not recorded"
MOUNT = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'


@contextmanager
def in_small_file_system(name: str, *args: str, place: Path) -> Iterator[Target]:
    """A target whose segments lie in a private file system of 2 MiB."""
    need_root()
    prefix = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", MOUNT, str(place)]
    if subprocess.run([*prefix, "/bin/true"], check=False, capture_output=True).returncode:
        pytest.skip("no namespaces with file systems of their own are to be had here")
    with start_command(
        [*prefix, sys.executable, str(TARGETS / f"{name}.py"), *args],
        env={"XDG_RUNTIME_DIR": str(place)},
    ) as target:
        yield target


class TestForks:
    def test_a_child_is_recorded_although_the_address_space_has_no_room_for_a_second_segment(self):
        with start_target("forking", "history") as target:
            inherited = target.ask("item before")
            target.ask("room 100")
            child = target.ask("fork")
            own = target.ask("tell segment")
            assert own != target.ready["segment"]
            in_child = target.ask("tell item child")
            table = read_table(own)
            assert (table.pid, [row.number for row in table.live()]) == (
                child,
                [inherited, in_child],
            )
            assert [row.number for row in read_table(target.ready["segment"]).live()] == [inherited]
            assert target.ask("end_child") == 0
            assert target.finish() == 0
            assert target.errors() == ""

    def test_a_child_without_room_for_a_segment_goes_on_and_leaves_word_that_it_is_not_recorded(
        self, tmp_path: Path
    ):
        with in_small_file_system("forking", "count", place=tmp_path) as target:
            target.ask("item before")
            target.ask("fill 4")
            child = target.ask("fork")
            assert target.ask("tell segment") == ""
            target.ask("tell item child")
            assert target.ask("tell text before") == "before"
            assert target.ask("tell text child") == "child"
            run_command("handles", child).assert_one_line_error(
                3, f"runs no agent ({NOT_RECORDED})"
            )
            run_command("attach", child, "--headless", "--inject").assert_one_line_error(
                3, NOT_RECORDED
            )
            assert target.ask("live") == 1
            assert target.ask("end_child") == 0
            left = Path(f"/proc/{target.pid}/root/{tmp_path}").glob("*/*")
            assert sorted(each.suffix for each in left) == [".seg", ".sock"]
            assert target.finish() == 0
            assert target.errors() == ""


class TestSmallStacks:
    """``threading.stack_size`` is set to the least that there is, or nearly so."""

    @pytest.mark.parametrize("order", ["start stack", "stack start", "start stack fork"])
    def test_the_agent_runs_and_hooks_work_on_such_threads(self, order: str):
        with start_target("small_stacks") as target:
            for step in order.split():
                target.ask(step)
            where = "tell " if "fork" in order else ""
            assert target.ask(f"{where}on_threads 4") == ["no error"] * 4
            assert target.ask(f"{where}stack") == 32 << 10
            assert run_command("gc", target.ask(f"{where}pid")).status == 0
            if where:
                assert target.ask("end_child") == 0
            assert target.finish() == 0
            assert target.errors() == ""

    @pytest.mark.parametrize(
        ("minor", "method"),
        [("3.11", Method.INJECT), ("3.14", Method.INJECT), ("3.14", Method.REMOTE)],
    )
    def test_an_agent_that_is_brought_in_has_stacks_of_its_own(self, minor: str, method: Method):
        with unprepared("small", program=interpreter(minor)) as target:
            assert bring_agent(target.pid, method).found.attachable
            assert run_command("gc", target.pid).status == 0
            close_stdin(target)
            assert target.expect("done")["right"], "the program's own setting is another"
            assert target.process.wait(60) == 0
            assert target.errors() == ""


class TestAddressSpace:
    @pytest.mark.parametrize("mebibytes", [60, 260])
    def test_an_agent_comes_into_a_program_with_little_address_space_and_leaves_it_most(
        self, mebibytes: int
    ):
        with unprepared("sleep") as target:
            resource.prlimit(
                target.pid,
                resource.RLIMIT_AS,
                (address_space(target.pid) + (mebibytes << 20), resource.RLIM_INFINITY),
            )
            assert run_command("attach", target.pid, "--headless", "--inject").status == 0
            assert run_command("gc", target.pid).status == 0
            close_stdin(target)
            assert target.expect("done")["right"]
            assert target.process.wait(60) == 0
            assert target.errors() == ""

    def test_too_little_of_it_is_the_cause_that_is_told_and_nothing_stays(self):
        with unprepared("sleep") as target:
            threads = len(procfs.tasks(target.pid))
            resource.prlimit(
                target.pid,
                resource.RLIMIT_AS,
                (address_space(target.pid) + (20 << 20), resource.RLIM_INFINITY),
            )
            refused = run_command("attach", target.pid, "--headless", "--inject")
            refused.assert_one_line_error(3, "the agent could not start in the target: ", "memory")
            close_stdin(target)
            assert target.expect("done")["right"]
            assert len(procfs.tasks(target.pid)) <= threads
            assert target.process.wait(60) == 0
            assert target.errors() == ""


def address_space(pid: int) -> int:
    """Bytes that a process takes of it now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


class TestFileSystems:
    @pytest.mark.parametrize("left_kib", [0, 8, 64])
    def test_handles_work_where_there_is_no_room_for_their_rows(
        self, left_kib: int, tmp_path: Path
    ):
        with in_small_file_system("forking", "none", place=tmp_path) as target:
            target.ask(f"fill {left_kib}")
            target.ask("item first")
            target.ask("item second")
            assert target.ask("text first") == "first"
            target.ask("release first")
            target.ask("empty")
            target.ask("item third")
            assert target.ask("text third") == "third"
            assert target.ask("live") == 2
            assert target.finish() == 0
            assert target.errors() == ""

    @pytest.mark.parametrize("length", [0, 4096])
    def test_a_program_whose_segment_is_truncated_goes_on_and_viewers_are_told(self, length: int):
        with start_target("forking", "count") as target:
            target.ask("item before")
            os.truncate(target.ready["segment"], length)
            target.ask("item after")
            assert target.ask("text after") == "after"
            run_command("handles", target.pid).assert_one_line_error(3, "the segment is ")
            target.ask("release after")
            assert target.ask("live") == 0
            assert target.finish() == 0
