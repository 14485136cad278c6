"""The reasons why a process can be attached or not, and remedies, safest first.

Pure: judges ``ProcessFacts`` for ``doctor``, ``ps`` and the start page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inspector.attach.interpreter import NEWEST, OLDEST
from inspector.attach.probe import REMOTE_OFF, ProcessFacts
from inspector.attach.remote_exec import OLDEST as OLDEST_REMOTE

X86_FIX: Final = "run it with a Python for x86-64: the tool is built for that one alone"
RUN_FIX: Final = "start it with: arc-inspector run …, or with ARC_INSPECTOR=1 in its environment"
_SUPPORTED: Final = f"{'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"


class Method(StrEnum):
    """How a process is attached."""

    AGENT = "agent"
    """Its agent runs already."""
    REMOTE = "remote"
    """CPython's own interface, from 3.14 on: the main thread brings the agent in when it comes
    by."""
    INJECT = "inject"
    """A thread of the target is borrowed for a moment: with consent only."""
    JAVA = "java"
    """The Java virtual machine loads the agent as it loads any tool: with consent only."""

    @property
    def needs_consent(self) -> bool:
        """Whether a person has to agree first."""
        return self in (Method.INJECT, Method.JAVA)


class Weight(StrEnum):
    """The effect of a cause on attaching."""

    BLOCKS = "blocks"
    ASKS = "asks"
    """Attaching works; a person should know first."""
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason."""

    key: str
    """Stable, for scripts: ``ptrace-scope``."""
    weight: Weight
    text: str
    """A sentence without a full stop that goes on from the process's name: ``is stopped by a
    signal``."""
    fixes: tuple[str, ...] = ()
    """Safest first."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether and how a process can be attached."""

    facts: ProcessFacts
    method: Method | None
    """``None``: it cannot be."""
    causes: tuple[Cause, ...]
    """Blocking causes come first."""

    @property
    def is_possible(self) -> bool:
        """Whether it can be attached in some way."""
        return self.method is not None

    @property
    def is_readable(self) -> bool:
        """Whether a Python in it can be looked at from outside, without an agent."""
        facts = self.facts
        is_ours = facts.uid is None or facts.own_uid in (0, facts.uid)
        has_objects = facts.is_python and not facts.runtimes.pypy and facts.state not in ("Z", "X")
        return facts.may_read and is_ours and has_objects and not facts.has_agent

    @property
    def first(self) -> Cause | None:
        """The most important cause."""
        return self.causes[0] if self.causes else None


def diagnose(facts: ProcessFacts) -> Diagnosis:
    """Judge a process."""
    if not facts.exists:
        return Diagnosis(facts, None, (Cause("no-process", Weight.BLOCKS, "does not exist"),))
    if facts.has_agent:
        return Diagnosis(facts, Method.AGENT, tuple(_interpreters(facts)))
    if facts.runtimes.java and not facts.is_python:
        return _of_java(facts)
    found = [*_blocking(facts), *_asking(facts), *_notes(facts)]
    if any(each.weight is Weight.BLOCKS for each in found):
        return Diagnosis(facts, None, tuple(found))
    can_remote = (
        facts.version is not None and facts.version >= OLDEST_REMOTE and not facts.remote_off
    )
    return Diagnosis(facts, Method.REMOTE if can_remote else Method.INJECT, tuple(found))


def _of_java(facts: ProcessFacts) -> Diagnosis:
    """A Java virtual machine: nobody traces it, so less stands in the way."""
    found = [*_ended(facts), *_machine(facts), *_user(facts), *_stopped(facts)]
    if facts.java_trouble:
        found.append(_blocks("java-attach", facts.java_trouble, "start it without that option"))
    if found:
        return Diagnosis(facts, None, tuple(found))
    return Diagnosis(facts, Method.JAVA, tuple(_notes(facts)))


def _blocking(facts: ProcessFacts) -> Iterator[Cause]:
    """The causes that make attaching impossible, the deepest first."""
    yield from _ended(facts)
    yield from _machine(facts)
    yield from _permission(facts)
    yield from _held(facts)
    yield from _interpreter(facts)
    if facts.room and facts.may_trace is not False:
        fixes = ("make room there", RUN_FIX)
        yield _blocks(
            "no-room", (f"has no place for the agent's files: {'; '.join(facts.room)}"), *fixes
        )


def _ended(facts: ProcessFacts) -> Iterator[Cause]:
    if facts.state in ("Z", "X"):
        yield _blocks(
            "ended",
            "has ended, and only its parent has not noticed",
            "look at its last state: arc-inspector ps --all",
        )


def _machine(facts: ProcessFacts) -> Iterator[Cause]:
    if facts.own_machine != "x86-64":
        yield _blocks(
            "architecture",
            (f"runs on {facts.own_machine}; the agent is loaded into x86-64 processes only"),
            X86_FIX,
        )
    elif facts.machine is not None and facts.machine != "x86-64":
        yield _blocks("architecture", f"is a program for {facts.machine}, not for x86-64", X86_FIX)


def _user(facts: ProcessFacts) -> Iterator[Cause]:
    if facts.uid is not None and facts.own_uid not in (0, facts.uid):
        user = facts.user or str(facts.uid)
        named = user if user != str(facts.uid) else f"'#{user}'"
        yield _blocks(
            "other-user",
            f"belongs to user {user}",
            (f"run the inspector as that user: sudo -u {named} arc-inspector"),
        )


def _permission(facts: ProcessFacts) -> Iterator[Cause]:
    others = list(_user(facts))
    if others:
        yield from others
        return
    if facts.may_trace is not False or facts.state in ("Z", "X"):
        return
    as_root = f"sudo arc-inspector attach {facts.pid}"
    if facts.ptrace_scope == 3:
        yield _blocks(
            "ptrace-scope",
            ("may be traced by no process until the system starts again (Yama, scope 3)"),
            RUN_FIX,
        )
    elif facts.ptrace_scope == 2:
        yield _blocks(
            "ptrace-scope",
            ("may be traced by an administrator only (Yama, scope 2)"),
            RUN_FIX,
            as_root,
        )
    elif facts.ptrace_scope == 1 and facts.own_uid:
        allowed = "let it allow you: prctl(PR_SET_PTRACER, pid of the inspector)"
        yield _blocks(
            "ptrace-scope",
            "may be traced by its parents only (Yama, scope 1)",
            RUN_FIX,
            allowed,
            as_root,
        )
    elif facts.own_uid:
        yield _blocks(
            "not-dumpable",
            ("forbids to be looked at (it is not dumpable, or has more rights than you)"),
            RUN_FIX,
            as_root,
        )
    else:
        yield _blocks(
            "no-permission",
            ("may not be traced, although you are root: a container or security module forbids it"),
            RUN_FIX,
        )


def _held(facts: ProcessFacts) -> Iterator[Cause]:
    if facts.tracer:
        yield _blocks(
            "traced",
            (f"is traced by {facts.tracer} already, and a process has only one tracer"),
            "end that debugger, then attach",
        )
    else:
        yield from _stopped(facts)


def _stopped(facts: ProcessFacts) -> Iterator[Cause]:
    if facts.state == "T":
        yield _blocks(
            "stopped",
            "is stopped by a signal, so nothing can run in it",
            f"let it go on: kill -CONT {facts.pid}",
        )


def _interpreter(facts: ProcessFacts) -> Iterator[Cause]:
    if facts.runtimes.pypy:
        yield _blocks(
            "no-python", "runs PyPy; the agent needs CPython", "run the program with CPython"
        )
    elif facts.may_trace is False:
        return  # nothing of it can be known
    elif facts.runtimes.musl:
        yield _blocks(
            "musl",
            "uses the C library musl; the agent is built for glibc",
            "run the program on a system with glibc",
        )
    elif facts.version is not None and facts.version < OLDEST:
        yield _blocks(
            "version",
            (f"runs CPython {_dotted(facts.version)}; {_SUPPORTED} are supported"),
            "run the program with a newer Python",
        )
    elif facts.version is not None and facts.version > NEWEST:
        yield _blocks(
            "version",
            (f"runs CPython {_dotted(facts.version)}; {_SUPPORTED} are supported"),
            "use a newer arc-inspector",
        )
    elif facts.trouble:
        yield _blocks("unreadable", f"cannot be understood: {facts.trouble}", RUN_FIX)
    elif not facts.is_python:
        yield _without_python(facts)
    elif facts.free_threaded:
        yield _blocks(
            "free-threaded",
            ("runs a free-threaded CPython, for which the agent is not built"),
            "run the program with the usual build",
        )
    elif not facts.has_backend:
        fixes = (
            (
                "install cffi for it on this side: build arc-inspector where pip finds cffi "
                f"for {_dotted(facts.version)}"
            ),
            RUN_FIX,
        )
        yield _blocks(
            "no-backend",
            (f"needs a cffi for CPython {_dotted(facts.version)}, and this installation has none"),
            *fixes,
        )


def _without_python(facts: ProcessFacts) -> Cause:
    """The cause of a process without Python: a launcher starts the program as another process.

    Launchers are the loader of a packed program, a shell, a runner.
    """
    if not facts.python_children:
        return _blocks(
            "no-python",
            "runs no Python that can be found",
            "link the native runtime: see the guide",
        )
    fixes = [
        f"attach to {text} in process {child}: arc-inspector attach {child}"
        for child, text in facts.python_children
    ]
    number = len(facts.python_children)
    started = (
        f"process {facts.python_children[0][0]}, which runs Python"
        if number == 1
        else f"{number} processes that run Python"
    )
    return _blocks("no-python", f"runs no Python, and has started {started}", *fixes)


def _asking(facts: ProcessFacts) -> Iterator[Cause]:
    if facts.seccomp:
        text = (
            "runs under a filter of system calls (seccomp): a strict filter may kill it when "
            "the agent opens its socket"
        )
        yield Cause(
            "seccomp", Weight.ASKS, text, (RUN_FIX, ("try it on a copy of the process first"))
        )


def _notes(facts: ProcessFacts) -> Iterator[Cause]:
    if not facts.shares_files or not facts.shares_pids:
        where = "its own files" if not facts.shares_files else "its own process ids"
        yield Cause(
            "container",
            Weight.NOTE,
            (f"runs in a container with {where}: the agent's files go into it, for a moment"),
        )
    if facts.remote_off and facts.version is not None and facts.version >= OLDEST_REMOTE:
        fixes = (
            f"start it without {REMOTE_OFF} and -X disable-remote-debug",
            f"arc-inspector attach {facts.pid} --inject",
        )
        text = (
            f"was started with {REMOTE_OFF} or -X disable-remote-debug: CPython's own way in "
            "is closed"
        )
        yield Cause("remote-off", Weight.NOTE, text, fixes)
    yield from _interpreters(facts)
    if facts.no_new_privileges:
        yield Cause(
            "no-new-privileges",
            Weight.NOTE,
            ("can gain no new rights (no_new_privs), which does not matter here"),
        )


def _interpreters(facts: ProcessFacts) -> Iterator[Cause]:
    if facts.interpreters is not None and facts.interpreters > 1:
        outside = f"look from outside: arc-inspector handles {facts.pid} --read-only"
        yield Cause("sub-interpreters", Weight.NOTE, others_text(facts.interpreters), (outside,))


def others_text(interpreters: int) -> str:
    """That an agent sees the main interpreter's objects alone; goes on from the process's name."""
    others = interpreters - 1
    return (
        f"runs {others} sub-interpreter{'s' if others > 1 else ''}, whose objects an agent "
        "does not see"
    )


def _blocks(key: str, text: str, *fixes: str) -> Cause:
    return Cause(key, Weight.BLOCKS, text, fixes)


def _dotted(version: tuple[int, int] | None) -> str:
    return ".".join(map(str, version or ()))
