"""Every ownership strategy as a viewer sees it: counts, poison, closes and their deadlines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inspector.vocabulary import handle_text
from tests.helpers.command_line import run_command
from tests.helpers.targets import Target, start_target
from tests.helpers.waiting import PATIENCE_SECS

KINDS = ("serial", "shared", "thin")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def target() -> Iterator[Target]:
    with start_target("owning") as target:
        yield target


def row(target: Target, number: int, command: str = "handles") -> dict[str, Any] | None:
    """A command's output about a handle."""
    rows = run_command(command, target.pid, "--json").json["handles"]
    return next((each for each in rows if each["id"] == handle_text(number)), None)


def until(target: Target, number: int, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Look until the viewer's row of a handle satisfies the condition."""
    until_secs = time.monotonic() + PATIENCE_SECS
    while True:
        seen = row(target, number)
        if seen is not None and is_so(seen):
            return seen
        assert time.monotonic() < until_secs, seen


@pytest.mark.parametrize("kind", KINDS)
def test_the_viewer_reads_the_true_count_of_every_strategy(target: Target, kind: str) -> None:
    number = target.ask(f"make {kind} one")
    alone = until(target, number, lambda seen: seen["strong"] == 1)
    assert alone["kind"] == {"serial": "mutex_map", "shared": "arc_map", "thin": "thin"}[kind]
    for clone in ("two", "three"):
        target.ask(f"clone one {clone}")
    three = until(target, number, lambda seen: seen["strong"] == 3)
    # the references to a thin object share one row, proxies' and native references alike
    assert (three["proxies"], three["native_refs"]) == ((None, None) if kind == "thin" else (3, 0))
    target.ask("drop two")
    until(target, number, lambda seen: seen["strong"] == 2)
    assert target.finish() == 0


def test_the_count_of_a_thin_object_is_exact_at_once_and_its_weak_count_unknown(
    target: Target,
) -> None:
    number = target.ask("make thin one")
    target.ask("clone one two")
    seen = row(target, number)
    assert seen is not None
    assert (seen["strong"], seen["weak"]) == (2, None)
    assert target.finish() == 0


def test_a_poisoned_object_shows_as_such_in_all_its_rows(target: Target) -> None:
    first = target.ask("make serial one")
    second = target.ask("clone one two")
    sound = target.ask("make serial sound")
    target.ask("spoil one")
    states = [seen["state"] for number in (first, second, sound) if (seen := row(target, number))]
    assert states == ["poisoned", "poisoned", "live"]
    assert run_command("handles", target.pid).out.count("poisoned") == 2
    assert target.finish() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_viewer_closes_an_object_of_every_strategy(
    target: Target, kind: str, tmp_path: Path
) -> None:
    number = target.ask(f"journal {kind} log {tmp_path / 'log'}")
    done = run_command("close", target.pid, handle_text(number), "--json")
    assert [each["outcome"] for each in done.json["answers"]] == ["closed"]
    again = run_command("close", target.pid, handle_text(number), "--json")
    assert again.status == 1
    assert "was closed by thread" in again.json["answers"][0]["reason"]
    assert target.finish() == 0


def test_a_deadline_is_set_from_the_viewer_shown_while_the_close_pends_and_kept(
    target: Target,
) -> None:
    number = target.ask("foreign door")
    target.ask("enter door")
    refused = run_command("close", target.pid, handle_text(number), "--deadline", "0.01", "--json")
    assert refused.json["answers"][0]["outcome"] == "pending"
    until(target, number, lambda seen: seen["state"] == "open")
    run_command("close", target.pid, handle_text(number), "--deadline", "3000", "--json")
    waiting = row(target, number, "pending")
    assert waiting is not None
    assert 0 < waiting["deadline"] - waiting["pending_since"] < 3001
    assert "Withdrawn in" in run_command("pending", target.pid).out
    assert "50 min" in run_command("pending", target.pid).out
    taken_back = run_command("close", target.pid, handle_text(number), "--cancel")
    assert (taken_back.status, "taken back" in taken_back.out) == (0, True)
    assert row(target, number, "pending") is None
    none_left = run_command("close", target.pid, handle_text(number), "--cancel", "--json")
    assert (none_left.status, none_left.json["answers"][0]["outcome"]) == (1, "refused")
    target.ask("leave door")
    assert target.ask("shut door") == 0
    assert target.finish() == 0


def test_the_viewer_closes_a_python_object_by_its_own_method_after_its_uses(target: Target) -> None:
    number = target.ask("foreign door")
    target.ask("enter door")
    (plan,) = run_command("close", target.pid, handle_text(number), "--dry-run", "--json").json[
        "answers"
    ]
    assert (plan["outcome"], plan["reason"]) == ("pending", "waits for 1 call in flight")
    assert plan["holders"][0].startswith("call of thread ")
    run_command("close", target.pid, handle_text(number), "--although-held")
    waiting = row(target, number, "pending")
    assert waiting is not None
    assert (waiting["type"], waiting["in_flight"], waiting["deadline"]) == ("Door", 1, None)
    target.ask("leave door")
    until(target, number, lambda seen: seen["state"] == "closed")
    assert target.ask("shut door") == 1
    assert target.finish() == 0
