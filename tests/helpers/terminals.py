"""Programs in a terminal, as a person sees and ends them."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.helpers.command_line import PATIENCE_SECS

LINES, COLUMNS = 24, 80


class Terminal:
    """A program with 24 lines of 80 columns."""

    def __init__(self, end: int, process: subprocess.Popen[bytes]) -> None:
        """``end`` is the person's side."""
        self._end, self._process = end, process
        self.drawn = b""

    def expect(self, words: bytes) -> None:
        """Read until ``words`` are drawn."""
        deadline = time.monotonic() + PATIENCE_SECS
        while words not in self.drawn and time.monotonic() < deadline:
            if select.select([self._end], [], [], 1.0)[0]:
                try:
                    self.drawn += os.read(self._end, 1 << 16)
                except OSError:  # the program has ended
                    break
        assert words in self.drawn, self.drawn[-2000:]

    def status_after(self, key: str) -> int:
        """The exit status of the program, which ends at that key."""
        os.write(self._end, key.encode())
        deadline = time.monotonic() + PATIENCE_SECS
        while self._process.poll() is None and time.monotonic() < deadline:
            if select.select([self._end], [], [], 0.1)[0]:
                try:
                    self.drawn += os.read(self._end, 1 << 16)
                except OSError:
                    break
        return self._process.wait(PATIENCE_SECS)


@contextmanager
def in_terminal(command: Sequence[str], env: Mapping[str, str]) -> Iterator[Terminal]:
    """A program that runs in a terminal of its own."""
    end, line = pty.openpty()
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=line,
        stdout=line,
        stderr=line,
        env={**env, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(line)
    try:
        yield Terminal(end, process)
    finally:
        process.kill()
        process.wait()
        os.close(end)
