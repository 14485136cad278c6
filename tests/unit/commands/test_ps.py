from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from inspector.attach.discovery import FoundProcess
from inspector.commands.app import run
from inspector.commands.ps import MOST_DEAD


def found(pid: int, *, alive: bool) -> FoundProcess:
    return FoundProcess(
        pid=pid,
        start_time=1,
        name=f"app{pid}.py",
        command="",
        runtime="",
        user="",
        started_at=1e9 - pid,
        segment=Path("x.seg"),
        alive=alive,
        attachable=True,
        reason="" if alive else "post-mortem: it was killed or crashed, its last state is left",
    )


@pytest.fixture
def many_dead(monkeypatch: pytest.MonkeyPatch) -> Sequence[FoundProcess]:
    listed = (found(1, alive=True), *(found(pid, alive=False) for pid in range(10, 17)))
    monkeypatch.setattr("inspector.commands.ps.find_processes", lambda: listed)
    monkeypatch.setattr("inspector.commands.ps.require_support", lambda: None)
    return listed


def test_a_few_dead_processes_are_listed_and_the_rest_is_counted(
    many_dead: Sequence[FoundProcess], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ps"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 1 + MOST_DEAD + 1
    assert "app14.py" in lines[-2]
    assert lines[-1] == "and 2 more: arc-inspector ps --all"


def test_all_dead_processes_are_listed_when_asked_for(
    many_dead: Sequence[FoundProcess], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ps", "--all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(many_dead)
    assert "more:" not in lines[-1]


def test_scripts_see_all_processes(
    many_dead: Sequence[FoundProcess], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ps", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["processes"]) == len(many_dead)
