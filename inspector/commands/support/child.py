"""Programs that a command starts to look at: the demo, and what ``run`` runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from inspector.attach.discovery import FoundProcess, find_published, find_published_below
from inspector.errors import AttachError
from inspector.wire.environment import WAIT_VARIABLE

PATIENCE_SECS: Final = 30.0
"""How long a program may take until its agent shows: imports run before it in some set-ups."""
_LOOK_SECS: Final = 0.02
_END_SECS: Final = 3.0
_INSTALLED: Final = ("site-packages", "dist-packages")
_PACKAGE_PARENT: Final = Path(__file__).resolve().parents[3]


class Child:
    """A process that we started."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        waits: bool = False,
        more: Mapping[str, str] = MappingProxyType({}),
        is_python: bool = True,
    ) -> None:
        """Start it, with this package importable by Python. Raises ``AttachError`` when that fails.

        ``more`` is added to its environment. ``waits``: the launcher runs the program only after
        ``release``, so that we can attach before. ``is_python`` false: the agent starts in it, or
        in a process that it starts, as late as it uses a library of UniFFI's.
        """
        self.is_python = is_python
        read_end, self._release_end = os.pipe() if waits else (-1, -1)
        ours = environment(os.environ) if is_python else dict(os.environ)
        variables = ours | ({WAIT_VARIABLE: str(read_end)} if waits else {}) | dict(more)
        passed = (read_end,) if waits else ()
        try:
            self.process = subprocess.Popen(  # noqa: S603 - what the person asked for
                list(command), stdin=stdin, stdout=stdout, env=variables, pass_fds=passed
            )
        except OSError as error:
            self.release()
            raise AttachError(
                f"cannot be started: {error.strerror or error}: {command[0]}"
            ) from error
        finally:
            if waits:
                os.close(read_end)

    def release(self) -> None:
        """Let the program run. May be called again; any one thread."""
        descriptor, self._release_end = self._release_end, -1
        if descriptor >= 0:
            os.close(descriptor)

    def wait_published(self, patience_secs: float = PATIENCE_SECS) -> FoundProcess:
        """Wait until it can be attached.

        Raises ``AttachError`` when it ends before, or takes too long.
        """
        deadline = time.monotonic() + patience_secs
        find = find_published if self.is_python else find_published_below
        while time.monotonic() < deadline:
            found = find(self.process.pid)
            if found is not None:
                return found
            if self.process.poll() is not None:
                ended = f"the program ended with status {exit_status(self.process.returncode)}"
                raise AttachError(
                    f"{ended} before it could be attached"
                    if self.is_python
                    else f"{ended}, and no process of it used a library of UniFFI's"
                )
            time.sleep(_LOOK_SECS)
        raise AttachError(f"the program's agent did not show within {patience_secs:.0f} s")

    def end(self) -> None:
        """Ask it to end, wait a moment, kill it. Any thread; may be called again."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_END_SECS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def demo_command(*options: str) -> list[str]:
    """The sample target."""
    return [sys.executable, "-m", "inspector.demo", *options]


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Our environment, with the package importable when it runs from a source tree."""
    paths = [path for path in ours.get("PYTHONPATH", "").split(os.pathsep) if path]
    if _PACKAGE_PARENT.name not in _INSTALLED and str(_PACKAGE_PARENT) not in paths:
        paths.append(str(_PACKAGE_PARENT))
    return {**ours, "PYTHONPATH": os.pathsep.join(paths)} if paths else dict(ours)


def exit_status(returncode: int) -> int:
    """As a shell reports it: 128 and the signal for a process that was killed."""
    return 128 - returncode if returncode < 0 else returncode
