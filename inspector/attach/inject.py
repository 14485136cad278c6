"""Loads the agent into an unprepared process through an injector process.

Viewers and commands use it.

May block; any thread.

The injector works alone once it has its order: when the waiting process dies, the injector
finishes, and the target runs on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Final

from inspector.attach import jvm, procfs
from inspector.attach.diagnosis import Method
from inspector.attach.discovery import FoundProcess, find_published
from inspector.errors import AttachError

PATIENCE_SECS: Final = 35.0
"""Longer than the injector's watchdog."""
LEAST_ROOM_BYTES: Final = 48 << 20
"""Address space for the agent's code, segment and threads, and as much again for the program. Where
there is less, an allocation that fails may end the process."""
LEAVES_AFTER_SECS: Final = 300.0
"""An agent that was brought in goes by itself when no viewer and no command was connected for so
long, also when its viewer was killed."""


class NotComeByError(AttachError):
    """The main thread of the target reached no safe point in time; nothing was done.

    ``waits`` says on what it waits.
    """

    def __init__(self, pid: int, waits: str) -> None:
        """With the remedy."""
        self.waits = waits
        helps = (
            "--nudge ends that wait once with EINTR"
            if waits != "waits on a lock"
            else "it cannot be nudged out of that"
        )
        super().__init__(
            f"the main thread reaches no safe point, it {waits} (process {pid}); {helps}, "
            "--inject does without the main thread"
        )


@dataclass(frozen=True, slots=True)
class Injection:
    """The agent is in."""

    found: FoundProcess
    paused_secs: float
    """How long one thread of the target was held; 0: none was."""
    tries: int
    interrupted: int = 0
    """Waits of the target that ended with ``EINTR`` for it."""


def bring_agent(
    pid: int,
    method: Method,
    *,
    level: str = "count",
    nudge: bool = False,
    leaves_after_secs: float = LEAVES_AFTER_SECS,
) -> Injection:
    """Have the agent run in a process, and find it there.

    Consent is the caller's business. Raises ``AttachError``.

    ``leaves_after_secs``: without a connection for so long the agent leaves by itself; 0: never.
    """
    left = procfs.address_space_left(pid)
    if left is not None and left < LEAST_ROOM_BYTES:
        raise AttachError(
            f"the agent could not start in the target: it may map {left >> 20} MiB more below its "
            f"limit of memory (ulimit -v), and the agent needs {LEAST_ROOM_BYTES >> 20} MiB "
            f"(process {pid})"
        )
    if method is Method.JAVA:
        jvm.load_agent(pid, level=level, leaves_after_secs=leaves_after_secs)
        return Injection(_published(pid, ""), paused_secs=0.0, tries=1)
    order: dict[str, object] = {
        "pid": pid,
        "method": method.value,
        "level": level,
        "nudge": nudge,
        "leaves_after_secs": leaves_after_secs,
    }
    outcome = _injector(order)
    if not outcome.get("ok"):
        if outcome.get("waits"):
            raise NotComeByError(pid, str(outcome["waits"]))
        raise AttachError(_one_line(outcome.get("error")) or f"the injector failed (process {pid})")
    found = _published(pid, _one_line(outcome.get("segment")))
    paused_secs, tries, interrupted = (
        outcome.get(name, 0) for name in ("paused_secs", "tries", "interrupted")
    )
    return Injection(found, float(paused_secs), int(tries), int(interrupted))


def _published(pid: int, segment: str) -> FoundProcess:
    """The process, now that its agent runs."""
    found = find_published(pid)
    if found is None:
        raise AttachError(
            f"the agent runs in process {pid}, but its segment cannot be found: {segment}"
        )
    return found


def _injector(order: dict[str, object]) -> dict[str, Any]:
    """Run the injector to its end. It is never killed."""
    command = [sys.executable, "-P", "-m", "inspector.attach.injector"]
    process = subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=_environment(),
    )
    try:
        written, _ = process.communicate(json.dumps(order).encode(), timeout=PATIENCE_SECS)
    except subprocess.TimeoutExpired as error:
        raise AttachError("the injector does not answer; it ends by itself") from error
    try:
        outcome = json.loads(written)
    except ValueError:
        outcome = None
    if not isinstance(outcome, dict):
        raise AttachError(
            f"the injector failed with status {process.returncode} (process {order['pid']})"
        )
    return outcome


def _environment() -> dict[str, str]:
    """Ours; never with an agent in the injector."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("ARC_INSPECTOR")
    }


def _one_line(text: object) -> str:
    return " ".join(str(text or "").split())
