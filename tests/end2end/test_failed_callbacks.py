"""Calls of native code into Python objects that fail are counted by object and method, over an
unmodified package."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from inspector.commands.close import full_number, parse_handle
from tests.helpers.command_line import run_command
from tests.helpers.generations import program as old_program
from tests.helpers.live_windows import wait, window_on
from tests.helpers.reading import fact
from tests.helpers.targets import Target, start_target

pytest.importorskip("nostr_sdk")

FAILURES = {
    "declared": r"Declared\.get_public_key failed 2 times: ValueError at callbacks\.py:\d+ get_public_key",
    "lowered": r"Lowered\.get_public_key failed 2 times: AttributeError at nostr_sdk\.py:\d+ \w+",
    "awaited": r"Awaited\.get_public_key_async failed 2 times: LookupError at callbacks\.py:\d+ get_public_key_async",
    "loopless": r"Awaited\.get_public_key_async failed 2 times: RuntimeError at .*\.py:\d+ \w+",
}


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@contextmanager
def program(which: str) -> Iterator[Target]:
    """The target; its functions are as before when the agent has gone."""
    with start_target("callbacks", which) as target:
        yield target
        assert not target.ask("is_as_before")
        target.ask("stop")
        assert target.ask("is_as_before")
        assert target.finish() == 0


def told(target: Target) -> list[dict[str, Any]]:
    """The rule's findings."""
    done = run_command("findings", target.pid, "--for", "200ms", "--json")
    return [each for each in done.json["findings"] if each["rule"] == "callback-failed"]


@pytest.mark.parametrize("kind", FAILURES)
def test_a_method_that_raises_what_is_not_declared_is_named_with_its_line(kind: str) -> None:
    with program("bad") as target:
        target.ask(f"go {kind}")
        target.ask(f"go {kind}")
        (found,) = told(target)
        assert found["verdict"] == "suspect"
        assert re.fullmatch(FAILURES[kind], found["headline"]), found


OLD = {
    "glean-sdk==50.1.4": r"Listener\.on_initialize_finished failed 2 times: LookupError at generation_steps\.py:\d+ fail",
    "glean-sdk==54.0.0": r"Listener\.initialize_finished failed 2 times: LookupError at generation_steps\.py:\d+ fail",
    "glean-sdk==57.0.0": r"Listener\.on_event_recorded failed 2 times: \w+ at \w+\.py:\d+ \w+",
    "bdkpython==0.0.4": r"Listener\.update failed 2 times: \w+ at bdk\.py:\d+ \w+",
}
"""Before there were functions that make such calls; two have arguments that cannot be read."""


@pytest.mark.parametrize("package", OLD)
def test_failures_are_counted_in_the_oldest_modules_too(package: str) -> None:
    with old_program(package, "none") as target:
        before = target.ask("code_of_callbacks")
        target.ask("start count")
        answers = {target.ask("fail_callback"), target.ask("fail_callback")}
        # the functions of 50 and 0.0.4 raise, and then ``ctypes`` answers with any number
        assert answers == {2} or package in ("glean-sdk==50.1.4", "bdkpython==0.0.4")
        (found,) = told(target)
        assert found["verdict"] == "suspect"
        assert re.fullmatch(OLD[package], found["headline"]), found
        (held,) = [
            each
            for each in run_command("handles", target.pid, "--json").json["handles"]
            if each["type"] == "Listener"
        ]
        assert held["failed_callbacks"] == 2
        target.ask("stop")
        assert target.ask("code_of_callbacks") == before
        target.ask("fail_callback")  # the original code runs again


def test_a_sound_program_is_not_suspect_also_when_it_raises_what_is_declared() -> None:
    with program("good") as target:
        for kind in FAILURES:
            target.ask(f"go {kind}")
        (found,) = told(target)
        assert (found["verdict"], found["headline"]) == (
            "ok",
            ("No callback failed since the agent follows its module"),
        )


def test_the_window_shows_how_often_an_object_failed_and_where_the_last_time(
    qtbot: QtBot, tmp_path: Path
) -> None:
    with program("bad") as target:
        target.ask("go loopless")
        target.ask("go awaited")
        (held,) = [
            each
            for each in run_command("handles", target.pid, "--json").json["handles"]
            if each["type"] == "Awaited"
        ]
        with window_on(target, qtbot, tmp_path) as window:
            snapshot = window.attachment.shown
            assert snapshot is not None
            window.workbench.choose(full_number(parse_handle(held["id"]), snapshot))
            shown = fact(window.workbench.detail, "Failed calls")
            wait(qtbot, lambda: shown.text() not in ("", "–"))
            last = r"last in Awaited\.get_public_key_async at callbacks\.py:\d+ get_public_key_async \(LookupError\)"
            assert re.fullmatch(rf"{held['failed_callbacks']}, {last}", shown.text()), shown.text()


def test_the_object_that_native_code_holds_shows_how_often_it_failed() -> None:
    with program("bad") as target:
        before = run_command("handles", target.pid, "--json").json["handles"]
        assert {each["type"]: each.get("failed_callbacks") for each in before} == {
            "Awaited": 0,
            "PublicKey": None,
        }
        target.ask("go awaited")
        target.ask("go loopless")
        target.ask("go awaited")
        after = run_command("handles", target.pid, "--json").json["handles"]
        assert [each["failed_callbacks"] for each in after if each["type"] == "Awaited"] == [2]
        assert (
            "Failed: Awaited.get_public_key_async failed 2 times: LookupError at callbacks.py:"
        ) in run_command("handles", target.pid).out
