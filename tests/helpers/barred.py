"""Causes that ``doctor`` names for a process, and attaching that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.helpers.command_line import run_command
from tests.helpers.targets import Target
from tests.helpers.unprepared import close_stdin, own_threads


def causes(pid: int, status: int, prefix: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Doctor's answer about a process, as a user."""
    done = run_command("doctor", pid, "--json", prefix=prefix)
    assert done.status == status, done
    assert done.json["attachable"] == (status == 0)
    found: list[dict[str, Any]] = done.json["causes"]
    return found


def assert_barred(
    pid: int, key: str, text: str, first_fix: str, prefix: Sequence[str] = ()
) -> None:
    """Doctor names the one cause with its safest fix, and attaching ends in one line that says
    the same and does nothing."""
    (cause,) = causes(pid, 3, prefix)
    assert (cause["key"], cause["weight"], cause["text"]) == (key, "blocks", text)
    assert cause["fixes"][0] == first_fix
    run_command("attach", pid, "--headless", "--inject", prefix=prefix).assert_one_line_error(
        3, text, first_fix
    )
    assert own_threads(pid) == []


def finish(target: Target) -> None:
    """It ends by itself, with the right answer."""
    close_stdin(target)
    assert target.expect("done")["right"]
    assert target.process.wait(60) == 0
