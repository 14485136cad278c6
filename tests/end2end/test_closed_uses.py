"""Uses of declared and UniFFI objects after their close are told with both places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspector.vocabulary import Level
from tests.end2end.test_uniffi_closing import CALLED, declared
from tests.helpers.command_line import run_command
from tests.helpers.tables import ask, connect
from tests.helpers.targets import Target, start_target

NAMES = {
    "plain": "Plain.flush",
    "derived": "Plain.flush",
    "zmq": "Socket.getsockopt",
    "socket": "socket.getpeername",
}


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with start_target("closed_uses", str(tmp_path / "mine.toml")) as started:
        yield started


def settle(target: Target) -> None:
    """The adapters look once more: hooks are set then."""
    with connect(target.ready["segment"], target.pid) as connection:
        ask(connection, "gc")


def told(target: Target) -> list[dict[str, Any]]:
    """The uses that ``findings`` tells."""
    done = run_command("findings", target.pid, "--for", "200ms", "--json")
    return [
        each
        for each in done.json["findings"]
        if each["rule"] == "refused-use" and each["verdict"] == "suspect"
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_use_after_close_names_the_lines_of_both(target: Target, name: str) -> None:
    settle(target)
    target.ask("make")
    target.ask(f"use {name}")
    assert told(target) == []
    closed = target.ask(f"close {name}")
    used = target.ask(f"use {name}")
    target.ask(f"use {name}")
    (found,) = told(target)
    assert found["headline"] == f"2 uses of {NAMES[name]} after the close"
    use, close = found["evidence"]
    assert use.startswith(f"Used at closed_uses.py:{used} use_of")
    assert close.startswith(f"Closed at closed_uses.py:{closed} close")
    assert len(found["handles"]) == 1
    target.ask("stop")
    assert target.ask("is_as_before")


def test_a_with_block_closes_too_and_an_object_that_is_open_again_may_be_used(
    target: Target,
) -> None:
    settle(target)
    target.ask("make")
    line = target.ask("leave derived")
    target.ask("reopen derived")
    target.ask("use derived")
    assert told(target) == []
    target.ask("leave plain")
    target.ask("use plain")
    (found,) = told(target)
    assert found["evidence"][1].startswith(f"Closed at closed_uses.py:{line}")


def test_a_use_of_a_uniffi_object_after_its_close_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with declared(tmp_path, CALLED) as target:
        target.ask("cbf c")
        target.ask("cbf d")
        with connect(target.ready["segment"], target.pid) as connection:
            ask(connection, "level", level=int(Level.HISTORY))
            ask(connection, "gc")
            target.ask("use c")
            assert told(target) == []
            target.ask("shutdown c")
            target.ask("use c")
            target.ask("use d")
        (found,) = told(target)
    assert found["headline"] == "1 use of CbfClient.is_running after the close"
    use, close = found["evidence"]
    assert use.startswith("Used at closing_steps.py:")
    assert close.startswith("Closed at closing_steps.py:")
