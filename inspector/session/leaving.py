"""Removes the agent of a process, and waits for its end. Blocks; any thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from inspector.attach import procfs
from inspector.attach.control import ControlConnection, never
from inspector.attach.discovery import socket_path
from inspector.session.answers import require_ok
from inspector.wire.schema import LAYOUT_VERSION

ANSWER_SECS: Final = 10.0
"""How long the interpreter may take to come by."""
GONE_SECS: Final = 5.0
"""How long threads and files may take to go after the answer."""
_TURN_SECS: Final = 0.005
_OWN_THREADS: Final = ("ai-", "arc-inspector")
_REASONS: Final = 10
"""Reasons that are passed on, of as many as a target may send."""


@dataclass(frozen=True, slots=True)
class Departure:
    """The outcome of a departure."""

    stays: str = ""
    """Why the agent stays, a sentence without a full stop; empty: it went."""
    failures: tuple[str, ...] = ()
    """Hooks that could not be taken out, by their reasons."""
    remains: tuple[str, ...] = ()
    """Parts that were there still when the wait was over: the control socket, the segment,
    threads."""


def take_out(
    segment: Path, pid: int, *, only_unused: bool, is_given_up: Callable[[], bool] = never
) -> Departure:
    """Take the agent out of process ``pid``.

    ``only_unused``: only an agent that a viewer brought in, while no other viewer needs it.

    Raises ``ControlError``, and ``TargetBusyError`` when the interpreter reaches no safe point;
    then nothing was removed, nor will be later.
    """
    with ControlConnection(socket_path(segment), pid=pid) as connection:
        hello: dict[str, Any] = {
            "layout": LAYOUT_VERSION,
            "role": "command",
            "level": None,
            "armed": True,
        }
        require_ok(connection.ask("hello", wait_secs=ANSWER_SECS, is_given_up=is_given_up, **hello))
        answer = require_ok(
            connection.ask(
                "detach", wait_secs=ANSWER_SECS, is_given_up=is_given_up, only_unused=only_unused
            )
        )
        stays, failures = answer.fields.get("stays"), answer.fields.get("failures")
        if stays:
            return Departure(stays=" ".join(str(stays).split()))
        reasons = failures[:_REASONS] if isinstance(failures, list) else []
        remains = _remains(connection, segment, pid)
    return Departure(
        failures=tuple(" ".join(str(each).split()) for each in reasons), remains=remains
    )


def _remains(connection: ControlConnection, segment: Path, pid: int) -> tuple[str, ...]:
    """Wait until all parts are removed; the remaining parts when that takes too long."""
    until = time.monotonic() + GONE_SECS
    while remains := _present(connection, segment, pid):
        if time.monotonic() >= until:
            break
        time.sleep(_TURN_SECS)
    return remains


def _present(connection: ControlConnection, segment: Path, pid: int) -> tuple[str, ...]:
    threads = [
        name
        for tid in procfs.tasks(pid)
        if (name := procfs.thread_name(pid, tid)).startswith(_OWN_THREADS)
    ]
    parts = {
        "the connection": connection.is_open,
        "the control socket": socket_path(segment).exists(),
        "the segment": segment.exists(),
        **{f"thread {name}": True for name in threads},
    }
    return tuple(part for part, is_there in parts.items() if is_there)
