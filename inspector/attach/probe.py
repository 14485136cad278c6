"""ProcessFacts about a process before it is attached.

Gathers; ``causes`` judges. Reads only. Any thread, a few milliseconds.
"""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.attach import jvm, procfs
from inspector.attach.agent_files import backend_for
from inspector.attach.agent_folder import places_for
from inspector.attach.elf import ElfError, machine_of
from inspector.attach.interpreter import Interpreter, Runtimes, find_interpreter, runtimes
from inspector.attach.interpreters import count_in, python_children
from inspector.attach.processes import version_in
from inspector.attach.remote_exec import is_switched_off
from inspector.errors import AttachError
from inspector.systems import user_name

REMOTE_OFF: Final = "PYTHON_DISABLE_REMOTE_DEBUG"
MACHINES: Final = {"x86_64": "x86-64", "aarch64": "arm64", "i686": "i386"}
NEEDED_BYTES: Final = 48 << 20
"""The agent's files and the segment's first pages, with room to breathe."""
NO_RUNTIMES: Final = Runtimes(python="", pypy=False, musl=False)


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """A process as it looks from here. Unknown is ``None``, never a guess."""

    pid: int
    exists: bool = True
    name: str = ""
    state: str = "S"
    """One letter, as in ``ProcessStat``."""
    uid: int | None = None
    user: str = ""
    own_uid: int = 0
    has_agent: bool = False
    tracer: str = ""
    """The process that traces it already: ``gdb (4711)``."""
    ptrace_scope: int | None = None
    """Of Yama; ``None``: the kernel has no Yama."""
    may_trace: bool | None = None
    may_read: bool = False
    """Its memory may be looked at from outside."""
    machine: str | None = None
    own_machine: str = "x86-64"
    runtimes: Runtimes = NO_RUNTIMES
    is_python: bool = False
    version: tuple[int, int] | None = None
    free_threaded: bool | None = None
    trouble: str = ""
    """Why the interpreter could not be looked at, one line."""
    interpreters: int | None = None
    """How many run in it, the main one among them."""
    python_children: tuple[tuple[int, str], ...] = ()
    """Descendants that run Python, when the process itself runs none: number and interpreter."""
    has_backend: bool = True
    """cffi's backend for that interpreter can be brought."""
    shares_files: bool = True
    shares_pids: bool = True
    remote_off: bool = False
    """It was started with remote debugging switched off."""
    seccomp: bool = False
    """It runs under a filter of system calls."""
    no_new_privileges: bool = False
    java_trouble: str = ""
    """Why its Java virtual machine takes no agent; goes on from the process's name."""
    room: tuple[str, ...] = ()
    """What speaks against each place for the agent's files; empty: one of them takes them."""
    debuggers: tuple[str, ...] = ()
    """Debuggers that are installed; none is needed."""


def gather(pid: int, *, has_agent: bool = False, deeply: bool = True) -> ProcessFacts:
    """Look at a process. Not ``deeply``: without opening its files, for lists."""
    stat = procfs.process_stat(pid)
    status = procfs.status(pid)
    if stat is None and not status:
        return ProcessFacts(pid, exists=False)
    owner = procfs.owner(pid)
    maps = procfs.mappings(pid)
    mapped = maps or ()
    found = runtimes(mapped)
    program = procfs.program_name(pid) or status.get("Name", "")
    interpreter, trouble = _interpreter(pid) if deeply else (None, "")
    named = version_in(found.python) or version_in(program)
    certain = interpreter.minor if interpreter else None if deeply else named
    version = certain or named
    return ProcessFacts(
        pid,
        name=status.get("Name", ""),
        state=stat.state if stat else "",
        uid=owner[0] if owner else None,
        user=_user(owner[0]) if owner else "",
        own_uid=os.geteuid(),
        has_agent=has_agent,
        tracer=_tracer(status.get("TracerPid", "0")),
        ptrace_scope=ptrace_scope(),
        may_trace=_may_trace(pid),
        may_read=bool(maps) and _opens(pid, os.O_RDONLY),
        machine=_machine(pid),
        own_machine=MACHINES.get(platform.machine(), platform.machine()),
        runtimes=found,
        is_python=version is not None or bool(found.python),
        version=version,
        free_threaded=interpreter.free_threaded if interpreter else "t.so" in found.python,
        trouble=trouble,
        interpreters=count_in(pid, interpreter) if interpreter else None,
        python_children=python_children(pid)
        if deeply and version is None and not found.python
        else (),
        has_backend=certain is None or backend_for(certain) is not None,
        shares_files=procfs.shares_files(pid),
        shares_pids=procfs.namespace(pid, "pid") in (None, procfs.namespace("self", "pid")),
        remote_off=_remote_off(pid, interpreter),
        seccomp=status.get("Seccomp", "0") == "2",
        no_new_privileges=status.get("NoNewPrivs", "0") == "1",
        java_trouble=jvm.trouble_of(pid) if found.java else "",
        room=_room(pid) if deeply and not found.java else (),
        debuggers=tuple(name for name in ("gdb", "lldb") if shutil.which(name)) if deeply else (),
    )


def ptrace_scope() -> int | None:
    """Yama's setting; ``None``: there is no Yama.

    0: tracing within a user, 1: children only, 2: administrators only, 3: no tracing.
    """
    try:
        return int(Path(procfs.YAMA).read_text())
    except (OSError, ValueError):
        return None


def _interpreter(pid: int) -> tuple[Interpreter | None, str]:
    try:
        return find_interpreter(pid), ""
    except AttachError as error:
        return None, " ".join(str(error).split())


def _remote_off(pid: int, interpreter: Interpreter | None) -> bool:
    """By the interpreter's parsed options; when they cannot be read, by its environment."""
    found = is_switched_off(pid, interpreter) if interpreter else None
    return bool(procfs.environment(pid).get(REMOTE_OFF)) if found is None else found


def _machine(pid: int) -> str | None:
    try:
        return machine_of(procfs.program(pid))
    except ElfError:
        return None


def _may_trace(pid: int) -> bool:
    """Whether this process may trace the target.

    Opening its memory for writing takes the same permission, and does nothing.
    """
    return _opens(pid, os.O_RDWR)


def _opens(pid: int, how: int) -> bool:
    """Whether a process's memory can be opened; nothing of it is read or written."""
    try:
        os.close(procfs.open_memory(pid, how))
    except OSError:
        return False
    return True


def _tracer(pid_text: str) -> str:
    if not pid_text.isdecimal() or pid_text == "0":
        return ""
    name = procfs.status(int(pid_text)).get("Name", "")
    return f"{name or 'a debugger'} ({pid_text})"


def _user(uid: int) -> str:
    return user_name(uid) or str(uid)


def _room(pid: int) -> tuple[str, ...]:
    """Reasons of all places, or nothing when a place will do."""
    reasons: list[str] = []
    for place, barred in places_for(pid):
        reason = barred or _lacks(str(procfs.inside(pid, f"/{place}")))
        if not reason:
            return ()
        reasons.append(f"/{place} {reason}")
    return tuple(reasons)


def _lacks(place: str) -> str:
    try:
        found = os.statvfs(place)
    except OSError as error:
        return error.strerror or str(error)
    free = found.f_bavail * found.f_frsize
    return "" if free >= NEEDED_BYTES else f"has {free >> 20} MiB left"
