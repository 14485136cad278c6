"""``top`` in a real terminal: it shows the process, and a key ends it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.helpers.command_line import PATIENCE_SECS, command_environment, command_line
from tests.helpers.targets import start_target


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


def read_until(terminal: int, words: bytes) -> bytes:
    """All that is drawn until ``words`` come, or nothing more does."""
    drawn, deadline = b"", time.monotonic() + PATIENCE_SECS
    while words not in drawn and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                drawn += os.read(terminal, 1 << 16)
            except OSError:  # the command has ended
                break
    return drawn


def test_top_shows_a_process_in_a_terminal_of_80_columns_until_q_is_pressed() -> None:
    with start_target("todo") as target:
        target.ask("many 7")
        terminal, line = pty.openpty()
        fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        shown = subprocess.Popen(
            command_line("top", target.pid),
            stdin=line,
            stdout=line,
            stderr=line,
            env=command_environment({"TERM": "xterm-256color"}),
        )
        os.close(line)
        try:
            drawn = read_until(terminal, b"TodoItem")
            assert b"TodoItem" in drawn
            assert f"({target.pid})".encode() in drawn + read_until(terminal, b"(")
            os.write(terminal, b"q")
            read_until(terminal, b"\0 nothing has these words")
            assert shown.wait(PATIENCE_SECS) == 0
        finally:
            shown.kill()
            shown.wait()
            os.close(terminal)
        assert target.ask("numbers") is not None
