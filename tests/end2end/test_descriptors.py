"""A program may close any descriptor and use any number: the agent is undisturbed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inspector.attach.discovery import find_target
from inspector.errors import InspectorError
from tests.helpers.command_line import command_environment, run_command
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import Target, TargetFailedError, start_target
from tests.helpers.waiting import PATIENCE_SECS

CLIENTS = 60
ENDING = """
import atexit, os, tempfile
files = []

def look():
    inodes = [(os.fstat(number).st_ino, os.fstat(number).st_size) for number, _ in files]
    print("whole" if inodes == [(inode, 0) for _, inode in files] else "changed")

atexit.register(look)  # runs after the agent's own
from inspector import agent
agent.start("count")
os.closerange(3, 1024)
for _ in range(24):
    number, path = tempfile.mkstemp()
    os.unlink(path)
    files.append((number, os.fstat(number).st_ino))
"""
SANDBOXED = """
import ctypes, platform, struct
from inspector import agent

# For close_range and unshare: end the process. For all else: go on.
def step(code, yes, no, value):
    return struct.pack("HBBI", code, yes, no, value)

unshare = {"x86_64": 272, "aarch64": 97}[platform.machine()]
filter = step(0x20, 0, 0, 0) + step(0x15, 2, 0, 436) + step(0x15, 1, 0, unshare) + step(6, 0, 0, 0x7FFF0000) + step(6, 0, 0, 0x80000000)
steps = ctypes.create_string_buffer(filter)
program = struct.pack("HxxxxxxP", len(filter) // 8, ctypes.addressof(steps))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
agent.start("count")
print(agent.is_running())
"""
WAYS = ("range", "backwards", "another")
TABLES = {"own table": {}, "table of the program": {"ARC_INSPECTOR_DESCRIPTORS": "shared"}}


@pytest.fixture(params=TABLES.values(), ids=TABLES.keys())
def table(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment in which the agent keeps its descriptors apart from the program's, and in
    which it cannot."""
    return dict(request.param)


@contextmanager
def closing(table: dict[str, str], level: str = "history") -> Iterator[Target]:
    with start_target("closing", level, env=table) as target:
        yield target
        assert target.finish() == 0
        assert target.errors() == ""


def segment_of(pid: int) -> Path:
    found = find_target(pid)
    assert found.segment is not None
    return found.segment


def asked(pid: int, op: str) -> dict[str, Any]:
    """The answer of the process, asked until it listens again."""

    def answer() -> dict[str, Any] | None:
        try:
            with connect(segment_of(pid), pid) as viewer:
                return ask(viewer, op)
        except InspectorError:
            return None

    until = time.monotonic() + PATIENCE_SECS
    while (found := answer()) is None:
        assert time.monotonic() < until, "it does not listen any more"
    return found


def assert_inspected(pid: int, names: int) -> None:
    """It is seen to live, it answers, and its handles are listed."""
    assert asked(pid, "gc")["took_nanos"] > 0
    assert find_target(pid).attachable
    assert len(read_table(segment_of(pid)).live()) == names


@pytest.mark.parametrize("way", WAYS)
def test_a_program_that_closes_everything_keeps_its_own_files_and_is_inspected(
    table: dict[str, str], way: str
) -> None:
    with closing(table) as target:
        target.ask("item before")
        target.ask(f"close {way}")
        target.ask("open_files")
        target.ask("item after")
        assert_inspected(target.pid, 2)
        assert target.ask("changed_files") == []
        target.ask("stop")
        assert target.ask("changed_files") == []
        target.ask("start")
        assert_inspected(target.pid, 2)
        assert target.ask("changed_files") == []


def test_children_of_a_program_that_closed_everything_are_inspected_and_touch_no_file(
    table: dict[str, str],
) -> None:
    with closing(table) as target:
        target.ask("item before")
        target.ask("close range")
        target.ask("open_files")
        child = target.ask("fork")
        assert_inspected(child, 1)
        assert target.ask("tell changed_files") == []
        target.ask("tell close range")
        target.ask("tell open_files")
        assert_inspected(child, 1)
        target.ask("tell stop")
        assert target.ask("tell changed_files") == []
        assert target.ask("end_child") == 0
        assert target.ask("changed_files") == []
        assert_inspected(target.pid, 1)


def test_a_daemon_answers_each_of_its_clients_and_is_inspected(table: dict[str, str]) -> None:
    with closing(table) as target:
        target.ask("item before")
        target.ask("fork")
        daemon = target.ask("tell daemonise")
        port = target.ask("tell server")
        assert_inspected(daemon, 1)
        answers = [said_back(port, f"client {number}".encode()) for number in range(CLIENTS)]
        assert answers == [f"client {number}".encode() for number in range(CLIENTS)]
        assert_inspected(daemon, 1)
        target.ask("end_child")


def said_back(port: int, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(words)
        return client.recv(100)


def test_a_child_program_that_inherits_no_descriptor_runs(table: dict[str, str]) -> None:
    with closing(table) as target:
        assert target.ask("subprocess") == 0
        assert_inspected(target.pid, 0)


def test_the_program_has_no_descriptor_more_than_without_the_agent() -> None:
    with closing({}, "none") as plain, closing({}) as target:
        programs = (plain, target)

        def descriptors(step: str = "descriptors") -> list[list[str]]:
            return [program.ask(step) for program in programs]

        assert_equal(descriptors())
        target.ask("item before")
        for program in programs:
            program.ask("fork")
        with connect(target.ready["segment"], target.pid) as viewer:
            ask(viewer, "gc")
            assert_equal(descriptors())
            assert_equal(descriptors("tell descriptors"))
        target.ask("stop")
        assert_equal(descriptors())
        for program in programs:
            assert program.ask("end_child") == 0


def test_a_lost_descriptor_is_told_in_words() -> None:
    with closing(TABLES["table of the program"], "count") as target:
        target.ask("close range")
        asked(target.pid, "ping")
        assert (
            "descriptors of the agent that the program closed"
            in run_command("handles", target.pid).out
        )


def test_without_an_agent_closing_everything_harms_neither_files_nor_handles() -> None:
    with start_target("closing", "none") as target:
        target.ask("item before")
        target.ask("close range")
        target.ask("open_files")
        for number in range(3):
            target.ask(f"item {number}")
        child = target.ask("fork")
        assert target.ask("tell text before") == "before"
        assert target.ask("tell changed_files") == []
        assert target.ask("end_child") == 0
        assert child
        assert target.ask("text 2") == "2"
        if os.geteuid() == 0:  # may open files that it has mapped
            target.ask("start")
            assert_inspected(target.pid, 4)
        else:
            with pytest.raises(
                TargetFailedError,
                match=("the program closed the descriptor of the segment before the agent started"),
            ):
                target.ask("start")
        assert target.ask("changed_files") == []


def test_files_at_any_number_are_whole_until_the_program_has_ended(table: dict[str, str]) -> None:
    environment = command_environment() | table
    done = subprocess.run(
        [sys.executable, "-c", ENDING],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("whole\n", "", 0)


def test_a_sandbox_that_ends_a_process_for_calls_it_does_not_know_is_not_tried() -> None:
    command = [sys.executable, "-c", SANDBOXED]
    done = subprocess.run(
        command,
        env=command_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)


def assert_equal(descriptors: list[list[str]]) -> None:
    without, with_agent = descriptors
    assert with_agent == without
