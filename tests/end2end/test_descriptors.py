"""A program may close any descriptor and use any number: it meets none of the agent's, and the agent goes on."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inspector.attach.discovery import find_target
from inspector.errors import InspectorError
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import Target, start_target
from tests.helpers.waiting import PATIENCE_SECS

CLIENTS = 60
WAYS = ("range", "backwards", "another")
TABLES = {"own table": {}, "table of the program": {"ARC_INSPECTOR_DESCRIPTORS": "shared"}}


@pytest.fixture(params=TABLES.values(), ids=TABLES.keys())
def table(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment in which the agent keeps its descriptors apart from the program's, and in which it cannot."""
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
def test_a_program_that_closes_everything_keeps_its_own_files_and_is_inspected(table: dict[str, str], way: str) -> None:
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


def test_children_of_a_program_that_closed_everything_are_inspected_and_touch_no_file(table: dict[str, str]) -> None:
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


def assert_equal(descriptors: list[list[str]]) -> None:
    without, with_agent = descriptors
    assert with_agent == without
