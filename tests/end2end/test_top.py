"""``top`` in a real terminal: it shows the process, and a key ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.command_line import command_environment, command_line
from tests.helpers.targets import start_target
from tests.helpers.terminals import in_terminal


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def test_top_shows_a_process_in_a_terminal_of_80_columns_until_q_is_pressed() -> None:
    with start_target("todo") as target:
        target.ask("many 7")
        with in_terminal(command_line("top", target.pid), command_environment()) as terminal:
            terminal.expect(b"TodoItem")
            terminal.expect(f"({target.pid})".encode())
            assert terminal.status_after("q") == 0
        assert target.ask("numbers") is not None
