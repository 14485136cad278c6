"""Starts target programs and steps them, line by line, without sleeping.

A target prints ``ready {json}`` when it is set up, then reads one command a line from stdin and
answers each with ``word {json}`` on stdout (``tests/targets/stepping.py`` is that loop). Closing
stdin ends it.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from inspector.attach.procfs import tasks, thread_state

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ROOT / "tests" / "targets"
PATIENCE_SECS = 60.0
"""How long a target may be silent before the test fails: a guard against hanging, no expectation
about speed."""


class TargetFailedError(AssertionError):
    """The target ended, was silent, or answered with an error; the message holds its stderr."""


class Target:
    """A child process that is stepped. ``ready`` is its answer at the end of its setup."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        """Take over a process whose stdin and stdout are pipes and whose stderr is the file
        ``errors``."""
        self.process = process
        self.ready: dict[str, Any] = {}
        self._errors = errors
        self._unread = b""

    @property
    def pid(self) -> int:
        """Process id."""
        return self.process.pid

    def tell(self, line: str) -> None:
        """Send one command; does not wait."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise TargetFailedError(
                f"the target is gone before {line!r}:\n{self.errors()}"
            ) from error

    def expect(self, word: str, *, patience_secs: float = PATIENCE_SECS) -> Any:
        """Wait for the next line; it starts with ``word``, the rest is JSON or empty."""
        line = self.read_line(patience_secs=patience_secs)
        said, _, rest = line.partition(" ")
        if said != word:
            raise TargetFailedError(
                f"expected {word!r}, the target said {line!r}:\n{self.errors()}"
            )
        return json.loads(rest) if rest else None

    def ask(self, line: str) -> Any:
        """``tell`` and ``expect`` its first word."""
        self.tell(line)
        return self.expect(line.split(" ", 1)[0])

    def read_line(self, *, patience_secs: float = PATIENCE_SECS) -> str:
        """Next line of stdout, with any content."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + patience_secs
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                left_secs = deadline - time.monotonic()
                if left_secs <= 0 or not selector.select(left_secs):
                    raise TargetFailedError(
                        f"the target said nothing for {patience_secs:.0f} s:\n{self.errors()}"
                    )
                read = os.read(self.process.stdout.fileno(), 65536)
                if not read:
                    raise TargetFailedError(
                        f"the target ended with status {self.process.wait()}:\n{self.errors()}"
                    )
                self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def finish(self, *, patience_secs: float = PATIENCE_SECS) -> int:
        """Close stdin, wait for the end, and return the exit status (negative: killed by that
        signal).

        A target whose last line is ``left N`` says how many handles it could not get rid of: none
        is right.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            status = self.process.wait(patience_secs)
        except subprocess.TimeoutExpired as error:
            raise TargetFailedError(
                f"the target did not end within {patience_secs:.0f} s:\n{self.errors()}"
            ) from error
        last = (self._unread + self.process.stdout.read()).decode().splitlines()[-1:]
        if last and last[0].startswith("left ") and last != ["left 0"]:
            raise TargetFailedError(f"the target {last[0]} live handles when it ended")
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal: SIGSTOP, SIGCONT, SIGKILL …."""
        self.process.send_signal(number)

    def stop(self) -> None:
        """Stop it by a signal, and wait until all its threads stand still.

        Each does so only when it is next given a processor.
        """
        self.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + PATIENCE_SECS
        while any(thread_state(self.pid, tid) not in ("T", "t") for tid in tasks(self.pid)):
            if time.monotonic() > deadline:
                raise TargetFailedError(f"the target did not stop within {PATIENCE_SECS:.0f} s")

    def errors(self) -> str:
        """Its stderr so far."""
        self._errors.flush()
        return Path(self._errors.name).read_text(errors="replace")

    def kill(self) -> None:
        """End it, however it is doing, and wait."""
        if self.process.poll() is None:
            self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        self.process.wait()


@contextmanager
def start_command(
    command: list[str], *, env: Mapping[str, str] | None = None, handshake: bool = True
) -> Iterator[Target]:
    """Start any command as a target; it is killed at the end.

    ``env`` is added to this process's environment.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {})}
    with tempfile.NamedTemporaryFile(prefix="target-stderr-") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
        )
        target = Target(process, errors)
        try:
            if handshake:
                target.ready = target.expect("ready")
            yield target
        finally:
            target.kill()


@contextmanager
def start_target(
    name: str, *args: str, env: Mapping[str, str] | None = None, python: str = sys.executable
) -> Iterator[Target]:
    """Start ``tests/targets/<name>.py`` and wait until it is set up; it is killed at the end."""
    with start_command([python, str(TARGETS / f"{name}.py"), *args], env=env) as target:
        yield target
