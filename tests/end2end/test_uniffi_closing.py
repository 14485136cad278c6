"""A class that UniFFI follows opts in to closing by a declaration.

One row, UniFFI's counts, closers that are called or awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector.model.pending import pending_closes
from inspector.model.snapshot import Snapshot
from inspector.vocabulary import Kind, Reference, Resource
from tests.helpers.command_line import run_command
from tests.helpers.tables import Row, ask, connect, read_table
from tests.helpers.targets import Target, start_target
from tests.helpers.watching import counts, watched

CALLED = ("bdkpython.bdk.CbfClient", 'close = "shutdown"')
AWAITED = ("nostr_sdk.nostr_sdk.Client", 'close = "shutdown"')
ONE = (1, 0, 1, 0)


def declaration(cls: str, *lines: str) -> str:
    return "\n".join(("[[proxy]]", f'class = "{cls}"', *lines, ""))


@contextmanager
def declared(folder: Path, *declarations: tuple[str, ...]) -> Iterator[Target]:
    """A target for which these classes are declared."""
    (folder / "mine.toml").write_text("".join(declaration(*each) for each in declarations))
    with start_target(
        "closing_steps", env={"ARC_INSPECTOR_ADAPTERS": "mine.toml", "PYTHONWARNINGS": "error"}
    ) as target:
        yield target
        assert target.finish() == 0
        assert "never awaited" not in target.errors()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where targets and commands of this test are started, with a configuration folder of its
    own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def rows(target: Target, name: str) -> list[Row]:
    return [row for row in read_table(target.ready["segment"]).rows if row.type == name]


def states(name: str) -> Callable[[Snapshot], list[Resource]]:
    """Looks at the resources of the live rows of a type."""

    def look(snapshot: Snapshot) -> list[Resource]:
        kinds = [index for index, row in snapshot.types.items() if row.name == name]
        live = (snapshot.handles.references == Reference.LIVE) & np.isin(
            snapshot.handles.types, kinds
        )
        return [Resource(int(state)) for state in snapshot.handles.resources[live]]

    return look


def close(target: Target, handle: int, **wish: Any) -> dict[str, Any]:
    """The answer to one request."""
    with connect(target.ready["segment"], target.pid) as connection:
        (answer,) = ask(connection, "close", handles=[handle], although_held=True, **wish)[
            "answers"
        ]
        found: dict[str, Any] = answer
        return found


def test_a_declared_class_of_uniffi_is_one_row_with_uniffis_counts_and_closed_after_its_close(
    folder: Path,
) -> None:
    with declared(folder, CALLED) as target, watched(target.ready["segment"]) as watch:
        target.ask("cbf c")
        (row,) = rows(target, "CbfClient")
        assert (row.kind, row.resource) == (Kind.UNIFFI, Resource.OPEN)
        watch.until(counts("CbfClient"), [ONE])
        target.ask("shutdown c")
        watch.until(states("CbfClient"), [Resource.CLOSED])
        target.ask("drop c")
        (row,) = rows(target, "CbfClient")
        assert (row.reference, row.resource) == (Reference.DROPPED, Resource.CLOSED)


def test_a_declared_class_of_uniffi_that_is_dropped_open_was_never_closed(folder: Path) -> None:
    with declared(folder, CALLED) as target:
        target.ask("cbf c")
        target.ask("drop c")
        (row,) = rows(target, "CbfClient")
        assert (row.reference, row.resource) == (Reference.DROPPED, Resource.NEVER_CLOSED)


def test_a_close_that_raises_is_shown_as_failed(folder: Path) -> None:
    with declared(folder, CALLED) as target:
        target.ask("cbf c no")
        target.tell("shutdown c")
        assert target.expect("error")["type"] == "NodeStopped"
        (row,) = rows(target, "CbfClient")
        assert row.resource == Resource.CLOSE_FAILED
        assert close(target, row.number)["outcome"] == "failed"


def test_all_proxies_of_one_object_are_closed_together_those_that_come_later_too(
    folder: Path,
) -> None:
    with declared(folder, CALLED) as target:
        target.ask("cbf c")
        target.ask("share d c")
        target.ask("shutdown d")
        target.ask("share e d")
        assert [row.resource for row in rows(target, "CbfClient")] == [Resource.CLOSED] * 3
        for name in "cde":
            target.ask(f"drop {name}")
        target.ask("cbf c")
        assert [row.resource for row in rows(target, "CbfClient") if row.is_live] == [Resource.OPEN]


def test_the_command_line_closes_it_and_says_who_follows_it(folder: Path) -> None:
    with declared(folder, CALLED, AWAITED) as target:
        target.ask("cbf c")
        (row,) = rows(target, "CbfClient")
        done = run_command("adapters", target.pid)
        assert done.status == 0, done
        assert "followed by uniffi, closes by shutdown()" in done.out
        states = run_command("adapters", target.pid, "--json").json["declared"]
        assert [(each["followed_by"], each["closes"], each["rows"]) for each in states] == [
            ("uniffi", "shutdown()", 1),
            ("uniffi", "shutdown()", 0),
        ]
        done = run_command("close", target.pid, row.number, "--although-held", "--json")
        assert [answer["outcome"] for answer in done.json["answers"]] == ["closed"]
        assert [row.resource for row in rows(target, "CbfClient")] == [Resource.CLOSED]
        done = run_command("close", target.pid, row.number, "--although-held", "--json")
        assert [answer["reason"] for answer in done.json["answers"]] == ["it is closed already"]


def test_a_closer_that_is_awaited_is_closed_when_it_has_ended(folder: Path) -> None:
    with declared(folder, AWAITED) as target, watched(target.ready["segment"]) as watch:
        target.ask("start_loop")
        target.ask("client c")
        assert target.ask("is_coroutine_function c shutdown") is True
        watch.until(states("Client"), [Resource.OPEN])
        target.ask("await_shutdown c")
        watch.until(states("Client"), [Resource.CLOSED])
        watch.until(counts("Client"), [ONE])


def test_a_close_waits_visibly_for_the_programs_loop_and_runs_on_it(folder: Path) -> None:
    with declared(folder, AWAITED) as target, watched(target.ready["segment"]) as watch:
        target.ask("start_loop")
        target.ask("client c")
        (row,) = rows(target, "Client")
        target.ask("block_loop")
        answer = close(target, row.number)
        assert (answer["outcome"], answer["reason"]) == (
            "pending",
            ("shutdown() runs on the program's event loop"),
        )
        snapshot = watch.until(states("Client"), [Resource.CLOSE_REQUESTED])
        waiting = pending_closes(snapshot)
        assert [waiting.reason(each) for each in range(len(waiting))] == [
            ("Queued: the program's event loop has not come to it yet")
        ]
        listed = run_command("pending", target.pid, "--json").json["handles"]
        assert [each["reason"] for each in listed] == [
            ("Queued: the program's event loop has not come to it yet")
        ]
        assert [(each["deadline"], each["deadline_known"]) for each in listed] == [(None, True)]
        assert close(target, row.number)["outcome"] == "pending"
        target.ask("unblock_loop")
        watch.until(states("Client"), [Resource.CLOSED])


def test_a_loop_that_ended_before_it_came_to_a_close_leaves_the_resource_open(folder: Path) -> None:
    with declared(folder, AWAITED) as target, watched(target.ready["segment"]) as watch:
        target.ask("start_loop")
        target.ask("client c")
        (row,) = rows(target, "Client")
        target.ask("block_loop")
        assert close(target, row.number)["outcome"] == "pending"
        watch.until(states("Client"), [Resource.CLOSE_REQUESTED])
        target.ask("end_loop")
        watch.until(states("Client"), [Resource.OPEN])
        answer = close(target, row.number)
        assert (answer["outcome"], answer["reason"]) == (
            "refused",
            ("shutdown is a coroutine, and no event loop runs"),
        )


def test_a_close_that_the_loop_does_not_come_to_is_withdrawn_at_its_deadline(folder: Path) -> None:
    with declared(folder, AWAITED) as target:
        target.ask("start_loop")
        target.ask("client c")
        (row,) = rows(target, "Client")
        target.ask("block_loop")
        assert close(target, row.number, withdraw_after_ms=1)["outcome"] == "pending"
        with watched(target.ready["segment"]) as watch:
            watch.until(states("Client"), [Resource.OPEN])
        target.ask("unblock_loop")
        target.ask("await_disconnect c")  # the loop has come to all that was queued
        assert [each.resource for each in rows(target, "Client")] == [Resource.OPEN]


def test_the_deadline_of_a_close_that_waits_for_the_loop_is_told(folder: Path) -> None:
    with declared(folder, AWAITED) as target, watched(target.ready["segment"]) as watch:
        target.ask("start_loop")
        target.ask("client c")
        (row,) = rows(target, "Client")
        target.ask("block_loop")
        assert close(target, row.number, withdraw_after_ms=3_000_000)["outcome"] == "pending"
        (listed,) = run_command("pending", target.pid, "--json").json["handles"]
        assert listed["deadline_known"]
        assert 2999 < listed["deadline"] - listed["pending_since"] < 3001
        target.ask("unblock_loop")
        watch.until(states("Client"), [Resource.CLOSED])


def cancelled(target: Target, *which: object) -> dict[str, Any]:
    """The answer to a close that is taken back."""
    (answer,) = run_command("close", target.pid, *which, "--cancel", "--json").json["answers"]
    return dict(answer)


def test_a_close_that_waits_for_the_loop_is_taken_back_and_the_method_never_runs(
    folder: Path,
) -> None:
    with declared(folder, AWAITED) as target, watched(target.ready["segment"]) as watch:
        target.ask("start_loop")
        target.ask("client c")
        (row,) = rows(target, "Client")
        target.ask("block_loop")
        for which in ([row.number], ["--filter", "type:Client"]):
            assert close(target, row.number)["outcome"] == "pending"
            watch.until(states("Client"), [Resource.CLOSE_REQUESTED])
            assert cancelled(target, *which)["outcome"] == "taken_back"
            watch.until(states("Client"), [row.resource])
        refused = cancelled(target, row.number)
        assert (refused["outcome"], refused["reason"].partition(":")[0]) == (
            "refused",
            "no close of it is pending",
        )
        target.ask("unblock_loop")
        target.ask("await_disconnect c")  # the loop has come to all that was queued
        assert [each.resource for each in rows(target, "Client")] == [Resource.OPEN]


def test_a_filter_closes_open_resources_and_says_how_many_it_left_out(folder: Path) -> None:
    with declared(folder) as target, connect(target.ready["segment"], target.pid) as connection:
        target.ask("cbf c")
        target.ask("cbf d")
        ask(connection, "declare", declarations=[{"class": CALLED[0], "close": "shutdown"}])
        target.ask("cbf e")
        wanted = ("close", target.pid, "--filter", "type:CbfClient", "--although-held")
        done = run_command(*wanted, "--dry-run")
        assert (
            "Left out: 2 resources, because it is not known whether they are closed. Name a "
            "handle to close it."
        ) in done.out
        done = run_command(*wanted, "--json")
        assert (
            [each["outcome"] for each in done.json["answers"]],
            done.json["left_out_unknown"],
        ) == (["closed"], 2)
        states = sorted(row.resource for row in rows(target, "CbfClient"))
        assert states == sorted([Resource.CLOSED, Resource.UNKNOWN, Resource.UNKNOWN])
        done = run_command(*wanted)
        assert "Left out: 2 resources" in done.out
        for row in rows(target, "CbfClient"):
            if row.resource == Resource.UNKNOWN:
                done = run_command("close", target.pid, row.number, "--although-held", "--json")
                assert [each["outcome"] for each in done.json["answers"]] == ["closed"]


def test_a_watched_method_opens_it_again(folder: Path) -> None:
    lines = ("nostr_sdk.nostr_sdk.Client", 'close = "disconnect"', 'watch = ["connect"]')
    with declared(folder, lines) as target:
        target.ask("start_loop")
        target.ask("client c")
        target.ask("await_disconnect c")
        assert [row.resource for row in rows(target, "Client")] == [Resource.CLOSED]
        target.ask("await_connect c")
        assert [row.resource for row in rows(target, "Client")] == [Resource.OPEN]


@pytest.mark.parametrize(
    ("lines", "trouble"),
    [
        (('close = "finish"',), "it has no method finish"),
        (
            ('close = "disconnect_relay"',),
            ("disconnect_relay needs the argument url, which close_with does not give"),
        ),
        (('close = "shutdown"', "close_with = { now = true }"), "shutdown has no argument now"),
        (
            ('handle = "_handle"',),
            (
                "UniFFI follows it already: a declaration of it adds how it "
                "closes, and close is missing"
            ),
        ),
    ],
)
def test_a_declaration_that_cannot_close_is_refused_and_the_row_stays_uniffis(
    folder: Path, lines: tuple[str, ...], trouble: str
) -> None:
    with declared(folder, ("nostr_sdk.nostr_sdk.Client", *lines)) as target:
        target.ask("client c")
        (row,) = rows(target, "Client")
        assert (row.kind, row.resource) == (Kind.UNIFFI, Resource.NONE)
        done = run_command("adapters", target.pid)
        assert done.status == 1
        assert trouble in done.err
        assert close(target, row.number)["outcome"] == "refused"


def test_of_a_proxy_that_was_made_before_the_declaration_it_is_not_known_whether_it_was_closed(
    folder: Path,
) -> None:
    with declared(folder) as target, connect(target.ready["segment"], target.pid) as connection:
        target.ask("cbf c")
        target.ask("cbf d")
        target.ask("shutdown d")
        ask(connection, "declare", declarations=[{"class": CALLED[0], "close": "shutdown"}])
        assert [row.resource for row in rows(target, "CbfClient")] == [Resource.UNKNOWN] * 2
        target.ask("shutdown c")
        assert sorted(row.resource for row in rows(target, "CbfClient")) == [
            Resource.CLOSED,
            Resource.UNKNOWN,
        ]


def test_what_a_class_says_itself_decides_of_a_proxy_that_was_made_before(folder: Path) -> None:
    with declared(folder) as target, connect(target.ready["segment"], target.pid) as connection:
        target.ask("cbf c")
        target.ask("cbf d no")
        ask(
            connection,
            "declare",
            declarations=[
                {"class": CALLED[0], "close": "shutdown", "released": "not is_running()"}
            ],
        )
        ask(connection, "scan")
        assert sorted(row.resource for row in rows(target, "CbfClient")) == [
            Resource.OPEN,
            Resource.CLOSED,
        ]


def test_without_a_declaration_nothing_changes(folder: Path) -> None:
    with declared(folder) as target:
        target.ask("cbf c")
        target.ask("shutdown c")
        (row,) = rows(target, "CbfClient")
        assert (row.kind, row.resource) == (Kind.UNIFFI, Resource.NONE)
