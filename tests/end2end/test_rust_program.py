"""The example program in Rust, looked at while it runs: each clone of an `Arc` is a row."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.helpers.command_line import run_command
from tests.helpers.stepped import running, step
from tests.helpers.targets import PATIENCE_SECS, ROOT

NATIVE = ROOT / "native"
STARTED = {"ARC_INSPECTOR": "1", "ARC_INSPECTOR_LEVEL": "stacks"}


@pytest.fixture(scope="module")
def sessions() -> Path:
    """The example, as `cargo test` has built it."""
    words = ["cargo", "build", "-q", "--locked", "--workspace", "--example", "sessions"]
    done = subprocess.run(
        words, cwd=NATIVE, capture_output=True, text=True, timeout=PATIENCE_SECS * 1.5
    )
    assert done.returncode == 0, done.stderr
    return NATIVE / "target" / "debug" / "examples" / "sessions"


def test_each_clone_is_a_row_with_its_birthplace_and_the_count_of_its_object(
    sessions: Path, tmp_path: Path
) -> None:
    with running(sessions, tmp_path, STARTED) as child:
        assert step(child, "open 2") == [2, 1]
        assert step(child, "clone") == [3, 2]
        assert step(child, "plain") == [3, 3]
        seen = run_command("handles", child.pid, "--json")
        assert seen.status == 0, seen
        rows = seen.json["handles"]
        assert {row["type"] for row in rows} == {"Session"}
        assert sorted((row["strong"], row["proxies"], row["native_refs"]) for row in rows) == [
            (1, 1, 0),
            (3, 2, 1),
            (3, 2, 1),
        ]
        births = tmp_path / "births"
        words = ("--format", "collapsed", "--with-paths", "-o", str(births))
        assert run_command("export", child.pid, *words).status == 0
        text = births.read_text(encoding="utf-8")
        assert "sessions::open_session" in text
        assert "sessions::share_session" in text
        assert step(child, "close") == [2, 2]
        assert len(run_command("handles", child.pid, "--json").json["handles"]) == 2


def test_without_the_variable_no_agent_starts(sessions: Path, tmp_path: Path) -> None:
    with running(sessions, tmp_path, {"ARC_INSPECTOR": "0"}) as child:
        assert step(child, "open 2") == [2, 1]
        assert run_command("handles", child.pid).status == 3


def test_a_level_that_there_is_not_ends_the_start_in_one_line(sessions: Path) -> None:
    done = subprocess.run(
        [sessions],
        env={**STARTED, "ARC_INSPECTOR_LEVEL": "all"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_SECS,
    )
    assert done.returncode == 1
    assert "no such level, there are off, count, history and stacks: all" in done.stderr
