"""CPython's own interface, from 3.14 on (PEP 768).

A script's path is written into the main thread's state, with a request.

The layout is read from the table that the interpreter publishes at the beginning of its state,
never assumed; an unexpected table is refused. Nothing is stopped. Any thread.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Final

from inspector.attach import procfs
from inspector.attach.interpreter import Interpreter, TargetMemory
from inspector.errors import AttachError

OLDEST: Final = (3, 14)
_COOKIE: Final = b"xdebugpy"
_TABLE_WORDS: Final = 160
_INTERPRETERS_HEAD: Final = 5
"""Place, in words, of ``runtime_state.interpreters_head`` in the table; the fields before it have
been the same since 3.13."""
_THREADS_MAIN: Final = 10
_PATH_BYTES: Final = 512
_STOP_BIT: Final = 1 << 5
"""``_PY_EVAL_PLEASE_STOP_BIT``."""
_MOST: Final = 1 << 20
"""No offset is larger."""


class RemoteExecDisabledError(AttachError):
    """The target was started with remote debugging switched off."""


@dataclass(frozen=True, slots=True)
class RemoteLayout:
    """Offsets in bytes, from the beginning of each record."""

    interpreters_head: int
    threads_main: int
    eval_breaker: int
    support: int
    enabled: int
    pending_call: int
    script_path: int
    path_bytes: int


def remote_layout(table: bytes, version: tuple[int, int, int]) -> RemoteLayout:
    """The layout in a published table. Raises ``AttachError`` when it is not this version's."""
    if table[:8] != _COOKIE:
        raise AttachError("the interpreter publishes no layout of itself")
    words = struct.unpack(f"<{len(table) // 8}Q", table[: len(table) // 8 * 8])
    packed = words[1]
    if (packed >> 24, packed >> 16 & 0xFF) != version[:2]:
        raise AttachError("the interpreter's published layout is of another version")
    for at in range(6, len(words)):
        eval_breaker, support, enabled, pending_call, script_path, path_bytes = words[
            at - 5 : at + 1
        ]
        small = (
            max(eval_breaker, support, enabled) < _MOST and min(eval_breaker, support, enabled) > 0
        )
        if path_bytes == _PATH_BYTES and (pending_call, script_path) == (0, 4) and small:
            return RemoteLayout(
                words[_INTERPRETERS_HEAD],
                words[_THREADS_MAIN],
                eval_breaker,
                support,
                enabled,
                0,
                4,
                path_bytes,
            )
    raise AttachError("the interpreter's published layout has no remote debugging")


def is_switched_off(pid: int, interpreter: Interpreter) -> bool | None:
    """Whether a target was started with remote debugging switched off.

    ``None``: unknown, or an older version.
    """
    if interpreter.minor < OLDEST:
        return None
    try:
        with TargetMemory(pid) as memory:
            layout = remote_layout(
                memory.read(interpreter.runtime, _TABLE_WORDS * 8), interpreter.version
            )
            return not _is_enabled(
                memory, memory.word(interpreter.runtime + layout.interpreters_head), layout
            )
    except AttachError:
        return None


def remote_exec(pid: int, interpreter: Interpreter, script: str) -> None:
    """Make the main thread run a script at its next safe point, which may be never.

    Raises ``AttachError``.
    """
    path = os.fsencode(script) + b"\0"
    with TargetMemory(pid) as memory:
        layout = remote_layout(
            memory.read(interpreter.runtime, _TABLE_WORDS * 8), interpreter.version
        )
        if len(path) > layout.path_bytes:
            raise AttachError(f"the script's path is too long for the interpreter: {script}")
        interpreter_state = memory.word(interpreter.runtime + layout.interpreters_head)
        if not _is_enabled(memory, interpreter_state, layout):
            raise RemoteExecDisabledError(
                "remote debugging is switched off in the target "
                "(PYTHON_DISABLE_REMOTE_DEBUG or "
                "-X disable-remote-debug)"
            )
        thread = memory.word(interpreter_state + layout.threads_main)
        if not thread:
            raise AttachError("the interpreter has no main thread now")
        breaker = memory.word(thread + layout.eval_breaker)
        _write(pid, thread + layout.support + layout.script_path, path)
        _write(pid, thread + layout.support + layout.pending_call, (1).to_bytes(4, "little"))
        _write(pid, thread + layout.eval_breaker, (breaker | _STOP_BIT).to_bytes(8, "little"))


def withdraw(pid: int, interpreter: Interpreter) -> None:
    """Withdraw the request, if the main thread has reached no safe point."""
    with TargetMemory(pid) as memory:
        layout = remote_layout(
            memory.read(interpreter.runtime, _TABLE_WORDS * 8), interpreter.version
        )
        thread = memory.word(
            memory.word(interpreter.runtime + layout.interpreters_head) + layout.threads_main
        )
        _write(pid, thread + layout.support + layout.pending_call, bytes(4))


def _is_enabled(memory: TargetMemory, interpreter_state: int, layout: RemoteLayout) -> bool:
    return bool(int.from_bytes(memory.read(interpreter_state + layout.enabled, 4), "little"))


def _write(pid: int, address: int, content: bytes) -> None:
    try:
        memory = procfs.open_memory(pid, os.O_RDWR)
        try:
            os.pwrite(memory, content, address)
        finally:
            os.close(memory)
    except OSError as error:
        raise AttachError(f"{error.strerror}: writing to the memory of process {pid}") from error
