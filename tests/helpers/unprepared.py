"""Unprepared processes: foreign interpreters without cffi and without our package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inspector.attach.control import ControlConnection
from inspector.attach.discovery import find_target, socket_path
from inspector.wire.messages import Answer
from inspector.wire.schema import LAYOUT_VERSION
from tests.helpers.interpreters import FETCHED, NoInterpreterError, fetched
from tests.helpers.targets import ROOT, TARGETS, Target

PROGRAM = TARGETS / "unprepared.py"
MINORS = ("3.11", "3.12", "3.13", "3.14")


def interpreter(minor: str) -> str:
    """A Python of that version, not of our environment.

    Of this machine, named in ``ARC_INSPECTOR_PYTHON_3_14`` and so on, or fetched.

    Skips the test, naming the attempts, when there is none.
    """
    variable = f"ARC_INSPECTOR_PYTHON_{minor.replace('.', '_')}"
    pyenv = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{minor}.*/bin/python{minor}"))
    candidates = [
        os.environ.get(variable),
        *map(str, reversed(pyenv)),
        shutil.which(f"python{minor}"),
        f"/usr/bin/python{minor}",
    ]
    found = next((each for each in candidates if each and _runs(each, minor)), None)
    return found or _fetched(
        f"python{minor}", (f"no CPython {minor} in {variable}, pyenv, on PATH or in /usr/bin")
    )


def pypy() -> str:
    """A PyPy of this machine or fetched; skips the test when there is none."""
    return shutil.which("pypy3") or _fetched("pypy3", "no pypy3 on PATH")


def musl() -> str:
    """The C library musl, fetched; skips the test when it cannot be had."""
    return _fetched("musl", "no musl of our own")


def _fetched(name: str, tried: str) -> str:
    if name not in FETCHED:
        pytest.skip(tried)
    try:
        return fetched(name)
    except NoInterpreterError as error:
        pytest.skip(f"{tried}; {error}")


def _runs(program: str, minor: str) -> bool:
    code = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    try:
        done = subprocess.run(
            [program, "-c", code], capture_output=True, text=True, timeout=30, check=False
        )
    except OSError:
        return False
    return done.stdout.strip() == minor


@contextmanager
def unprepared(
    kind: str,
    *,
    program: str | None = None,
    script: Path = PROGRAM,
    options: Sequence[str] = ("-I", "-S"),
    prefix: Sequence[str] = (),
) -> Iterator[Target]:
    """A process that does ``kind`` of work (see ``tests/targets/unprepared.py``) and neither has
    nor can find cffi. Ended afterwards."""
    python = program or str(Path(sys.base_prefix, "bin", "python3"))
    with tempfile.NamedTemporaryFile() as errors:
        process = subprocess.Popen(
            [*prefix, python, *options, f"/proc/self/cwd/{script.relative_to(ROOT)}", kind],
            # and found through it: something may be mounted over the folder in which the checkout
            # lies
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment(),
        )
        target = Target(process, errors)
        try:
            target.ready = target.expect("ready")
            yield target
        finally:
            process.kill()
            process.communicate()


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "ARC_INSPECTOR", "VIRTUAL_ENV"))
    }


def close_stdin(target: Target) -> None:
    """Ask it to end."""
    assert target.process.stdin is not None
    target.process.stdin.close()
    target.process.stdin = None


def ask(pid: int, op: str, **fields: Any) -> Answer:
    """One question to its agent."""
    found = find_target(pid)
    assert found.segment is not None
    with ControlConnection(socket_path(found.segment), pid=pid) as connection:
        assert connection.ask(
            "hello", wait_secs=20, layout=LAYOUT_VERSION, role="command", level=None, armed=True
        ).ok
        return connection.ask(op, wait_secs=20, **fields)


def detach(pid: int) -> None:
    """Remove its agent, and wait until its threads have ended."""
    found = find_target(pid)
    assert ask(pid, "detach").ok
    until = time.monotonic() + 60
    while (own_threads(pid) or socket_exists(found.segment)) and time.monotonic() < until:
        time.sleep(0.005)
    assert own_threads(pid) == []


def socket_exists(segment: Path | None) -> bool:
    """Whether the control socket is still there."""
    return segment is not None and socket_path(segment).exists()


def own_threads(pid: int) -> list[str]:
    """Names of the agent's threads in a process."""
    names = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:
            continue
    return sorted(name for name in names if name.startswith(("ai-", "arc-")))
