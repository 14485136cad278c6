"""One question to the control socket of a process, for commands that need no snapshot."""

from __future__ import annotations

from typing import Any, Final

from inspector.attach.control import ControlConnection
from inspector.attach.discovery import find_target, socket_path
from inspector.errors import AttachError, ControlError
from inspector.session.answers import require_ok
from inspector.vocabulary import operation_named
from inspector.wire.messages import Answer
from inspector.wire.schema import LAYOUT_VERSION

WAIT_SECS: Final = 10.0
"""How long an answer may take."""


def ask_target(pid: int, op: str, **fields: Any) -> Answer:
    """Ask and wait for the answer, which is no refusal.

    Raises ``AttachError`` or ``ControlError``.
    """
    found = find_target(pid)
    if found.segment is None:
        raise AttachError(f"{found.reason} (process {pid})")
    if not found.alive:
        raise ControlError(
            f"the process is gone, only its last state can be looked at (process {pid})"
        )
    with ControlConnection(socket_path(found.segment), pid=pid) as connection:
        require_ok(
            connection.ask(
                "hello",
                wait_secs=WAIT_SECS,
                layout=LAYOUT_VERSION,
                role="command",
                level=None,
                armed=operation_named(op).changes,
            )
        )
        return require_ok(connection.ask(op, wait_secs=WAIT_SECS, **fields))
