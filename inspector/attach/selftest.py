"""Checks of this machine and installation: whether attaching can work here at all.

May block for a second; any thread.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from inspector.attach import linux
from inspector.attach.agent_files import backend_for
from inspector.attach.diagnosis import RUN_FIX, Method, Weight
from inspector.attach.inject import bring_agent
from inspector.attach.interpreter import NEWEST, OLDEST
from inspector.attach.probe import MACHINES, ptrace_scope
from inspector.errors import AttachError

_WAITING: Final = "import sys; print('ready', flush=True); sys.stdin.read()"
_SCOPES: Final = {
    0: "a user may trace own processes",
    1: "only parents may trace (Yama, scope 1)",
    2: "only an administrator may trace (Yama, scope 2)",
    3: "no process may trace (Yama, scope 3)",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    key: str
    is_well: bool
    text: str
    weight: Weight = Weight.NOTE
    fixes: tuple[str, ...] = ()
    """Safest first."""


def run_checks() -> Iterator[Check]:
    """All checks in turn; a later check may depend on an earlier check."""
    yield _system()
    yield _tracing()
    yield _directory()
    yield from _backends()
    yield _attached()


def _system() -> Check:
    machine = MACHINES.get(platform.machine(), platform.machine())
    text = (
        f"Linux {platform.release()} on {machine}"
        if linux.is_supported()
        else f"{sys.platform} on {machine}"
    )
    if linux.is_supported() and machine == "x86-64":
        return Check("system", True, text)
    fix = (
        "processes that start the agent themselves can be attached"
        if linux.is_supported()
        else "open screenshots and sessions from Linux"
    )
    return Check(
        "system",
        False,
        (f"{text}: agents can be loaded into processes on Linux and x86-64 only"),
        Weight.BLOCKS,
        (fix,),
    )


def _tracing() -> Check:
    scope = ptrace_scope()
    if linux.is_root():
        return Check(
            "ptrace-scope",
            scope != 3,
            "root may trace" if scope != 3 else _SCOPES[3],
            Weight.ASKS,
            (RUN_FIX,),
        )
    if scope in (None, 0):
        return Check(
            "ptrace-scope", True, "no Yama: " + _SCOPES[0] if scope is None else _SCOPES[0]
        )
    return Check(
        "ptrace-scope",
        False,
        _SCOPES.get(scope or 0, f"Yama, scope {scope}"),
        Weight.ASKS,
        (RUN_FIX, "sudo arc-inspector attach PID"),
    )


def _directory() -> Check:
    found = linux.segment_directories()
    for path in found:
        stat = path.lstat()
        if stat.st_uid == os.geteuid() and stat.st_mode & 0o077:
            fix = f"chmod 700 {path}"
            return Check(
                "directory",
                False,
                (f"other users may enter {path}, so targets refuse it"),
                Weight.BLOCKS,
                (fix,),
            )
    return Check(
        "directory",
        True,
        f"segments lie in {found[0]}" if found else "no target of yours has run yet",
    )


def _backends() -> Iterator[Check]:
    minors = [(3, minor) for minor in range(OLDEST[1], NEWEST[1] + 1)]
    missing = [f"3.{minor[1]}" for minor in minors if backend_for(minor) is None]
    brought = [f"3.{minor[1]}" for minor in minors if backend_for(minor) is not None]
    text = f"the agent can be loaded into CPython {', '.join(brought) or 'of no version'}"
    if missing:
        fix = "build arc-inspector where pip can fetch cffi's wheels for them"
        yield Check(
            "backends",
            False,
            (f"{text}; not into {', '.join(missing)} unless they have cffi"),
            Weight.ASKS,
            (fix,),
        )
    else:
        yield Check("backends", True, text)


def _attached() -> Check:
    """Do it once: attach a child of ours that waits."""
    child = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-S", "-c", _WAITING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert child.stdout is not None  # noqa: S101 - for the type checker
        child.stdout.readline()
        injection = bring_agent(child.pid, Method.INJECT)
    except AttachError as error:
        return Check(
            "attach",
            False,
            (f"a process of our own could not be attached: {error}"),
            Weight.BLOCKS,
            (RUN_FIX,),
        )
    finally:
        child.communicate()
    held = f"one thread was held for {injection.paused_secs * 1e3:.1f} ms"
    return Check(
        "attach", True, (f"a process of our own was attached ({held}); no debugger is needed")
    )
