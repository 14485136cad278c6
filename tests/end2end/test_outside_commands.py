"""Commands on a process that is looked at from outside."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.command_line import run_command
from tests.helpers.outside import stepped
from tests.helpers.targets import Target

PROCESS_GONE = 4_199_015


@pytest.fixture
def target() -> Iterator[Target]:
    with stepped(sys.executable) as running:
        yield running


def test_the_command_line_says_that_it_is_a_fallback(target: Target) -> None:
    target.ask("make 2")
    target.ask("hold 1")
    printed = run_command("handles", target.pid, "--read-only")
    assert printed.status == 0, printed.err
    assert "looked at from outside, read only (fallback)" in printed.out
    assert re.search(r"Mnemonic +2 +2", printed.out)
    value = run_command("handles", target.pid, "--read-only", "--json").json
    assert value["target"]["from_outside"] is True
    assert value["target"]["state"] == "live"
    rows_by_type = {row["type"]: row for row in value["handles"]}
    assert rows_by_type["Mnemonic"]["strong"] == 1
    assert rows_by_type["Persist"]["strong"] is None
    assert rows_by_type["Mnemonic"]["created_at"] is None
    assert rows_by_type["Persist"]["kind"] == "uniffi_foreign"


def test_a_leak_and_a_double_free_to_come_are_found_from_outside(target: Target) -> None:
    target.ask("make 1")
    target.ask("duplicate")
    target.ask("grow")
    done = run_command("findings", target.pid, "--read-only", "--json")
    assert done.status == 1, done
    suspects = {
        each["rule"]: each for each in done.json["findings"] if each["verdict"] == "suspect"
    }
    assert suspects["leak-suspect"]["subject"] == "Mnemonic"
    assert suspects["negative-references"]["subject"] == "Mnemonic"
    target.ask("quiet")
    target.ask("drop 1")


def test_what_cannot_be_attached_is_offered_to_be_looked_at(target: Target) -> None:
    target.ask("make 4")
    target.send_signal(signal.SIGSTOP)
    refused = run_command("doctor", target.pid)
    assert refused.status == 3
    assert f"arc-inspector attach {target.pid} --read-only" in refused.out
    assert "MainThread" not in refused.out, "objects are not searched for a diagnosis"
    assert re.search(rf"thread {target.pid} .* in main \(outside_steps.py:\d+\)", refused.out)
    fallback = run_command("doctor", target.pid, "--json").json["fallback"]
    assert fallback["readable"] is True
    assert fallback["threads"][0]["stack"][0]["function"] == "main"
    listed = next(
        each for each in run_command("ps", "--json").json["processes"] if each["pid"] == target.pid
    )
    assert (listed["attachable"], listed["readable"]) == (False, True)
    assert listed["fix"].endswith(
        f"or look from outside: arc-inspector attach {target.pid} --read-only"
    )
    target.send_signal(signal.SIGCONT)


def test_a_process_that_is_gone_or_may_not_be_read_is_one_line(target: Target) -> None:
    run_command("handles", PROCESS_GONE, "--read-only").assert_one_line_error(
        3, f"process {PROCESS_GONE} does not exist"
    )
    run_command("attach", PROCESS_GONE, "--read-only").assert_one_line_error(
        3, f"process {PROCESS_GONE} does not exist"
    )
    run_command("attach", target.pid, "--read-only", "--inject").assert_one_line_error(
        2, "--read-only loads no agent"
    )


def test_a_picture_and_a_recording_of_it_open_again(target: Target, tmp_path: Path) -> None:
    target.ask("make 3")
    picture, recording = tmp_path / "shot.png", tmp_path / "session.arcs"
    shot = run_command("shot", target.pid, "--read-only", "-o", picture)
    assert shot.status == 0, shot.err
    assert run_command("open", picture, "--json").json["target"]["from_outside"] is True
    recorded = run_command("record", target.pid, "--read-only", "-o", recording, "--for", "3s")
    assert recorded.status == 0, recorded.err
    changed = run_command("diff", recording, recording, "--json")
    assert changed.status == 0, changed.err
    assert changed.json["total"]["survived"] == 3
