"""A viewer's close of a proxy that the program derived.

The most derived method runs, on the owner thread, and its failure shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inspector.attach.control import ControlConnection
from inspector.vocabulary import Resource
from tests.helpers.calls import LONGER_AND_LONGER_MILLIS
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import Target, start_target


@contextmanager
def watched() -> Iterator[tuple[Target, ControlConnection]]:
    with start_target("own_closes") as target:
        with connect(target.ready["segment"], target.pid) as connection:
            yield target, connection
        assert target.finish() == 0


def close(connection: ControlConnection, handle: int, **wishes: Any) -> dict[str, Any]:
    """The one answer to a close."""
    (answer,) = ask(connection, "close", handles=[handle], **wishes)["answers"]
    return dict(answer)


def state(target: Target, handle: int) -> Resource:
    return read_table(target.ready["segment"]).row(handle).resource


@pytest.mark.parametrize(
    ("kind", "methods"), [("good", ["good"]), ("grandchild", ["grandchild", "good"]), ("plain", [])]
)
def test_close_runs_the_most_derived_method_while_the_resource_is_open(
    tmp_path: Path, kind: str, methods: list[str]
) -> None:
    path = tmp_path / "journal.txt"
    with watched() as (target, connection):
        handle = target.ask(f"journal it {path} {kind}")
        assert close(connection, handle)["outcome"] == "closed"
        assert [name for name, _ in target.ask("closed")] == methods
        assert target.ask(f"lines {path}") == ["bye"] * bool(methods)
        assert state(target, handle) is Resource.CLOSED
        assert close(connection, handle)["outcome"] == "refused"


def test_a_method_that_raises_shows_as_a_failed_close_with_its_error(tmp_path: Path) -> None:
    with watched() as (target, connection):
        handle = target.ask(f"journal it {tmp_path / 'journal.txt'} raising")
        answer = close(connection, handle)
        assert answer["outcome"] == "failed"
        assert answer["reason"].startswith("not today (ValueError): close of ")
        assert state(target, handle) is Resource.CLOSE_FAILED
        assert close(connection, handle)["outcome"] == "failed", "another try is allowed"


def test_a_method_that_leaves_the_resource_open_shows_as_a_refused_close(tmp_path: Path) -> None:
    with watched() as (target, connection):
        handle = target.ask(f"journal it {tmp_path / 'journal.txt'} refusing")
        answer = close(connection, handle)
        assert answer["outcome"] == "refused"
        assert answer["reason"].startswith("the proxy's own close method returned and left it open")
        assert target.ask("closed") == [["refusing", False]]
        assert state(target, handle) is Resource.OPEN


def test_the_owner_thread_runs_the_method_when_it_drains(tmp_path: Path) -> None:
    with watched() as (target, connection):
        target.ask(f"journal it {tmp_path / 'journal.txt'} plain")
        handle = target.ask("cursor reader it")
        answer = close(connection, handle)
        assert (answer["outcome"], target.ask("closed")) == ("pending", [])
        assert state(target, handle) is Resource.WAITING_OWNER
        assert target.ask("drain") == 1
        assert target.ask("closed") == [["cursor", True]]
        assert state(target, handle) is Resource.CLOSED
        assert ask(connection, "drain")["still_pending"] == 0


def test_the_method_runs_after_the_call_in_flight(tmp_path: Path) -> None:
    def outcome(target: Target, connection: ControlConnection, millis: int) -> str:
        """The outcome of a close beside a call that takes so long."""
        path = tmp_path / f"{millis}.txt"
        handle = target.ask(f"journal {millis} {path} good")
        target.ask(f"slow {millis} {millis}")
        outcome: str = close(connection, handle, although_held=True)["outcome"]
        target.ask("join")
        assert target.ask("closed")[-1] == ["good", False]
        assert target.ask(f"lines {path}") == ["slow", "bye"]
        assert state(target, handle) is Resource.CLOSED
        return outcome

    with watched() as (target, connection):
        assert "pending" in (
            outcome(target, connection, millis) for millis in LONGER_AND_LONGER_MILLIS
        )


def test_a_proxy_that_is_released_before_its_owner_drains_leaves_the_type_s_own_close(
    tmp_path: Path,
) -> None:
    with watched() as (target, connection):
        target.ask(f"journal it {tmp_path / 'journal.txt'} plain")
        handle = target.ask("cursor reader it")
        assert close(connection, handle)["outcome"] == "pending"
        target.ask("release reader")
        assert target.ask("drain") == 1
        assert target.ask("closed") == []
        assert state(target, handle) is Resource.CLOSED
