"""A declared closing method that does not return is a pending close, with its thread, its age
and the line of the program."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Level, Resource, handle_text
from tests.helpers.command_line import run_command
from tests.helpers.tables import read_table
from tests.helpers.targets import Target, start_target
from tests.helpers.watching import watched

TYPES = {"context": "Context", "session": "Session", "failing": "Failing", "buffer": "Buffer"}
AFTER = {"context": ["open"], "session": [], "failing": ["open"], "buffer": []}
"""States of the live rows when the method has ended; one context does not close."""
NOTED = {"context": "; 2 open Socket of zmq are known in the process"}
"""Words after the reason."""


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with start_target("closing_waits", str(tmp_path / "mine.toml")) as started:
        yield started


def waiting(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """Type, thread and function of each pending close."""
    closes = pending_closes(snapshot)
    places = [closes.request_site(row) for row in range(len(closes))]
    return [
        (
            closes.type_name(row),
            closes.requester(row),
            site.frames[0].function if (site := places[row]) else "",
        )
        for row in range(len(closes))
    ]


@pytest.mark.parametrize("kind", TYPES)
def test_a_closing_method_that_waits_is_pending_until_it_ends(target: Target, kind: str) -> None:
    with watched(target.ready["segment"], level=Level.STACKS) as watch:
        watch.until(lambda snapshot: len(waiting(snapshot)), 0)
        target.ask(f"begin {kind}")
        seen = watch.until(waiting, [(TYPES[kind], kind, "close")])
        closes = pending_closes(seen)
        assert closes.resource(0) is Resource.CLOSING
        assert closes.reason(0) == f"The close method is running{NOTED.get(kind, '')}"
        assert seen.taken_at >= closes.oldest_since() > seen.target.started_at
        target.ask(f"let {kind}")
        watch.until(waiting, [])
    live = read_table(target.ready["segment"]).live(TYPES[kind])
    assert [row.resource.name.casefold() for row in live] == AFTER[kind]
    assert target.finish() == 0


TOLD = (
    r"The close method is running; it waits for 1 open Socket, (#\d+\.\d+), held by dict of \d+, "
    r"at 'socket' \(global __main__\.KEPT\)"
)
"""With what the agent says of the parts that are open."""


def test_the_command_tells_thread_age_and_line(target: Target) -> None:
    with watched(target.ready["segment"], level=Level.STACKS) as watch:
        target.ask("begin context")
        watch.until(waiting, [("Context", "context", "close")])
        done = run_command("pending", target.pid, "--json")
        told = run_command("pending", target.pid)
    (row,) = done.json["handles"]
    assert (row["type"], row["requester_thread"]) == ("Context", "context")
    reason = re.fullmatch(TOLD, row["reason"])
    assert reason is not None, row["reason"]
    sockets = read_table(target.ready["segment"]).live("Socket")
    assert reason[1] in [handle_text(each.number) for each in sockets]
    assert row["pending_since"] is not None
    assert re.fullmatch(r"closing_waits\.py:\d+ close", row["request_site"])
    assert re.search(
        r"Context .* The close method is running.* +context .*closing_waits\.py:\d+ close", told.out
    ), told.out
    target.ask("let context")
    assert target.finish() == 0


def test_closing_methods_that_ran_before_the_agent_came_are_pending_until_they_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    late = {"context": "Context", "session": "Session", "failing": "Failing"}
    with start_target("closing_waits", str(tmp_path / "mine.toml"), "late") as target:
        with watched(target.ready["segment"], level=Level.STACKS) as watch:
            seen = watch.until(
                lambda snapshot: sorted(waiting(snapshot)),
                sorted((late[kind], "", "close") for kind in late),
            )
            assert math.isnan(pending_closes(seen).oldest_since())
            told = run_command("pending", target.pid, "--json").json["handles"]
            assert {each["type"]: each["requester_thread"] for each in told} == {
                late[kind]: kind for kind in late
            }
            assert {each["pending_since"] for each in told} == {None}
            reasons = {each["type"]: each["reason"] for each in told}
            assert re.fullmatch(TOLD, reasons["Context"]), reasons["Context"]
            assert {reasons["Session"], reasons["Failing"]} == {"The close method is running"}
            for kind in late:
                target.ask(f"let {kind}")
            watch.until(waiting, [])
        table = read_table(target.ready["segment"])
        assert {
            kind: [row.resource.name.casefold() for row in table.live(name)]
            for kind, name in late.items()
        } == {kind: AFTER[kind] for kind in late}
        assert target.finish() == 0
