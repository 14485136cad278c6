"""Makes a process ready to be looked at: finds its agent, or loads an agent. May block.

Loading takes consent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from inspector.attach.diagnosis import Diagnosis, Method, Weight, diagnose
from inspector.attach.discovery import FoundProcess, find_published, find_target
from inspector.attach.inject import LEAVES_AFTER_SECS, Injection, bring_agent
from inspector.attach.probe import gather
from inspector.commands.support.output import ask_aside
from inspector.errors import AttachError

JAVA_EFFECTS: Final = (
    "The library stays loaded, and from JDK 21 on the program's error output says so. The program "
    "stands still for some milliseconds whenever the agent looks through its heap."
)


@dataclass(frozen=True, slots=True)
class Consent:
    """The acts that a person allows."""

    inject: bool = False
    """Borrow a thread of the target for a moment."""
    nudge: bool = False
    """End one wait of its main thread with ``EINTR``."""
    keep: bool = False
    """The agent stays until it is told to go; otherwise it goes when nobody uses it."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A process whose agent runs, or what a dead one left."""

    found: FoundProcess
    method: Method
    injection: Injection | None = None
    """``None``: the agent was there already."""


def diagnosis_of(pid: int) -> Diagnosis:
    """Why a process can be attached or not."""
    return diagnose(gather(pid, has_agent=find_published(pid) is not None))


def prepare(pid: int, consent: Consent, *, ask: Callable[[str], bool] | None = None) -> Prepared:
    """Make a process ready.

    ``ask`` is called with what would be done when consent is missing; any thread.

    Raises ``AttachError`` with the cause and the safest fix, and when there is no consent.
    """
    try:
        return Prepared(find_target(pid), Method.AGENT)
    except AttachError:
        diagnosis = diagnosis_of(pid)
        if not diagnosis.is_possible:
            raise
    is_java = diagnosis.method is Method.JAVA
    method = Method.INJECT if consent.inject and not is_java else diagnosis.method
    if (
        method is not None
        and method.needs_consent
        and not consent.inject
        and not (ask is not None and ask(consent_question(diagnosis)))
    ):
        raise AttachError(
            f"process {pid} runs no agent, and loading an agent needs your "
            f"consent: arc-inspector attach {pid} --inject"
        )
    injection = bring_agent(
        pid,
        method or Method.INJECT,
        nudge=consent.nudge,
        leaves_after_secs=0.0 if consent.keep else LEAVES_AFTER_SECS,
    )
    return Prepared(injection.found, method or Method.INJECT, injection)


def ensure_possible(pid: int) -> None:
    """Raise ``AttachError`` with the cause when a process can be attached in no way.

    Does nothing to it.
    """
    try:
        find_target(pid)
    except AttachError:
        if not diagnosis_of(pid).is_possible:
            raise


def consent_sentences(found: FoundProcess) -> str:
    """The effects of loading an agent into a listed process.

    Empty when that is not needed or cannot be.
    """
    if found.attachable or found.method is None:
        return ""
    if found.method is Method.REMOTE:
        return (
            f"{found.name} ({found.pid}) runs no agent. Its interpreter can load an agent on "
            "request, on its main thread. "
            "A wait of that thread may end with EINTR."
        )
    if found.method is Method.JAVA:
        return (
            f"{found.name} ({found.pid}) runs no agent. Its Java virtual machine can load an agent "
            f"as it loads any tool. {JAVA_EFFECTS}"
        )
    return (
        f"{found.name} ({found.pid}) runs no agent. The inspector can load an agent: one thread "
        "of the process is held for a few "
        "milliseconds, at a harmless point, and starts a thread that loads the agent. All other "
        "threads run on."
    )


def consent_question(diagnosis: Diagnosis) -> str:
    """The acts that are about to happen, in sentences."""
    facts = diagnosis.facts
    if diagnosis.method is Method.JAVA:
        return (
            f"Process {facts.pid} ({facts.name}) runs no agent. Its Java virtual machine can load "
            f"an agent as it loads any tool. {JAVA_EFFECTS}"
        )
    asks = "".join(f" It {each.text}." for each in diagnosis.causes if each.weight is Weight.ASKS)
    return (
        f"Process {facts.pid} ({facts.name}) runs no agent. The inspector can load an agent: one "
        "thread of the process is held for about "
        f"a millisecond, at a harmless point, and starts a thread that loads the agent.{asks}"
    )


def ask_on_terminal(question: str) -> bool:
    """Ask the person at the terminal; without one the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    ask_aside(f"{question} Go on? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")
