"""Each exit status that the guide lists, by a command that ends with it; errors are one line."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from inspector.errors import AttachError, ControlError, InspectorError, TargetBusyError, UsageError
from tests.helpers.command_line import Finished, run_command
from tests.helpers.targets import ROOT, Target, start_target

NOBODY = 2**22 + 1
"""No process has that number."""


def done(target: Target, _: Path) -> Finished:
    return run_command("handles", target.pid, "--json")


def not_so(target: Target, _: Path) -> Finished:
    item = target.ask("item milk buy")
    return run_command("close", target.pid, f"#{item >> 1 & 0x7FFF_FFFF}.{item >> 32}")


def wrong_use(target: Target, _: Path) -> Finished:
    return run_command("findings", target.pid, "--for", "soon")


def cannot_attach(_: Target, __: Path) -> Finished:
    return run_command("handles", NOBODY)


def cannot_say(target: Target, folder: Path) -> Finished:
    target.ask("item milk buy")
    return run_command("findings", target.pid, "--for", "1ms", env={"XDG_CONFIG_HOME": str(folder)})


CASES: dict[int, Callable[[Target, Path], Finished]] = {
    0: done,
    1: not_so,
    2: wrong_use,
    3: cannot_attach,
    4: cannot_say,
}


@pytest.mark.parametrize("status", CASES)
def test_a_command_ends_with_each_status(status: int, tmp_path: Path) -> None:
    with start_target("todo") as target:
        ended = CASES[status](target, tmp_path)
        assert ended.status == status, ended
        assert len(ended.err.splitlines()) <= 1, ended


def test_the_guide_lists_each_status_that_a_command_ends_with() -> None:
    rows = re.findall(
        r"^\| (\d) \| ([^|]+) \|", (ROOT / "docs" / "guide.md").read_text(), re.MULTILINE
    )
    assert {int(status): words for status, words in rows} == {
        0: "done",
        1: "the thing asked for is not so",
        2: "wrong use",
        3: "cannot attach",
        4: "cannot say yet",
    }
    assert {int(status) for status, _ in rows} == set(CASES)


def test_each_error_has_the_status_of_its_kind() -> None:
    kinds = (InspectorError, UsageError, AttachError, ControlError, TargetBusyError)
    assert [kind.exit_status for kind in kinds] == [1, 2, 3, 1, 4]


def test_findings_cannot_say_of_a_stopped_program_and_name_the_rules(tmp_path: Path) -> None:
    with start_target("todo") as target:
        target.ask("item milk buy")
        target.stop()
        ended = run_command(
            "findings", target.pid, "--for", "1ms", "--json", env={"XDG_CONFIG_HOME": str(tmp_path)}
        )
        target.send_signal(signal.SIGCONT)
    assert ended.status == 4, ended
    assert "leak-suspect" in ended.json["undecided"]
    assert ended.json["suspects"] == 0


def test_findings_look_until_the_rules_can_say(tmp_path: Path) -> None:
    with start_target("todo") as target:
        target.ask("item milk buy")
        ended = run_command(
            "findings", target.pid, "--json", env={"XDG_CONFIG_HOME": str(tmp_path)}
        )
    assert ended.status == 0, ended
    assert ended.json["undecided"] == []
