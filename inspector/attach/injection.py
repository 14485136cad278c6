"""Guarded injection, the part that chooses: which thread, when, how often.

The stop itself is native (``native/crates/viewer/src/inject``).

Runs in the injector process, on its main thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from inspector.attach import procfs
from inspector.attach.borrowing import Threads
from inspector.attach.interpreter import Interpreter, MemoryReadError, TargetMemory
from inspector.errors import AttachError
from inspector.wire import ffi, lib
from inspector.wire.status import Status, message_of, new_error

MOST_TRIES: Final = 40
PAUSE_SECS: Final = 0.01
BEGIN_SECS: Final = 2.0
"""How long the borrowed thread may take to have started the new one: it has to be given a
processor."""
_LEFT, _CREATED, _DONE, _BORROWED = 8, 12, 16, 24
"""Where the region's words lie, behind its code: as in
``native/crates/segment/src/injected.rs``."""
_CODE_BYTES: Final = 4096


class TargetHasNoQuietMomentError(AttachError):
    """No thread was at a harmless point in all tries: busy."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A thread of the target has begun to run the line."""

    paused_secs: float
    """How long one of its threads was held, the last time."""
    tries: int
    region: int
    interrupted: int
    """Waits of the target that the tries ended with ``EINTR``."""


def enter(
    pid: int, interpreter: Interpreter, code: str, *, among: Sequence[int] | None = None
) -> Entered:
    """Have the target run a line of Python on a new thread. Bounded tries; raises ``AttachError``.

    ``among``: the threads that may be borrowed; ``None``: any.
    """
    why, interrupted = "it has no thread that may be stopped", 0
    region = reusable_region(pid)
    threads = Threads(pid, among)
    for tries in range(1, MOST_TRIES + 1):
        tid = threads.next()
        status, injected, why = (
            _try(pid, tid, region, interpreter, code) if tid else (Status.PENDING, None, why)
        )
        interrupted += 0 if injected is None else injected.interrupted
        if injected is not None and status == Status.OK:
            _await_beginning(pid, injected.region)
            return Entered(injected.paused_nanos / 1e9, tries, injected.region, interrupted)
        if status != Status.PENDING:
            raise AttachError(f"{why} (process {pid})")
        if procfs.thread_state(pid, pid) in ("", "Z", "X"):
            raise AttachError(f"process {pid} has ended")
        time.sleep(PAUSE_SECS)
    raise TargetHasNoQuietMomentError(_busy(why, interrupted))


def _busy(why: str, interrupted: int) -> str:
    told = f"; {interrupted} of its waits ended with EINTR for that" if interrupted else ""
    return (
        f"busy: in {MOST_TRIES} tries no thread was at a harmless point, at last because "
        f"{why}{told}; try again"
    )


def nudge(pid: int) -> bool:
    """Make the wait of the main thread fail with ``EINTR``.

    Its interpreter then reaches a safe point.

    False: it waits in no such call.
    """
    did, error = ffi.new("int32_t *"), new_error()
    status = lib.ai_nudge(pid, pid, did, error)
    if status and status != Status.PENDING:
        raise AttachError(f"{message_of(error)} (process {pid})")
    return bool(did[0])


def reusable_region(pid: int) -> int:
    """The region of an earlier injection that every thread has left for certain; 0: none."""
    try:
        with TargetMemory(pid) as memory:
            return next((each for each in _regions(pid, memory) if _is_left(pid, memory, each)), 0)
    except AttachError:
        return 0


def _regions(pid: int, memory: TargetMemory) -> Iterator[int]:
    magic = int(lib.ai_inject_magic())
    for each in procfs.mappings(pid) or ():
        if each.flags == "r-xp" and not each.path and each.high - each.low == _CODE_BYTES:
            try:
                if memory.word(each.high) == magic:
                    yield each.low
            except MemoryReadError:
                continue


def _is_left(pid: int, memory: TargetMemory, region: int) -> bool:
    """Both threads reported their end, and the borrowed thread is seen elsewhere or has ended."""
    words = region + _CODE_BYTES
    if not (_number(memory, words + _LEFT) and _number(memory, words + _DONE)):
        return False
    tid = memory.word(words + _BORROWED)
    if tid not in procfs.tasks(pid):
        return True
    waits = procfs.system_call(pid, tid)
    return waits is not None and waits.number >= 0 and not region <= waits.at < region + _CODE_BYTES


def _try(
    pid: int, tid: int, region: int, interpreter: Interpreter, code: str
) -> tuple[int, Any, str]:
    text = ffi.from_buffer("uint8_t[]", code.encode())
    request, injected, error = ffi.new("AiInjection *"), ffi.new("AiInjected *"), new_error()
    place = request.place
    place.pid, place.tid, place.region, place.syscall = pid, tid, region, interpreter.system_call
    place.libc.low, place.libc.high = interpreter.c_library.code
    place.python.low, place.python.high = interpreter.image.code
    called = interpreter.functions
    functions = place.functions
    functions.create, functions.own, functions.detach = (
        called[name] for name in ("pthread_create", "pthread_self", "pthread_detach")
    )
    functions.is_initialized, functions.ensure = (
        called["Py_IsInitialized"],
        called["PyGILState_Ensure"],
    )
    functions.run, functions.release = called["PyRun_SimpleString"], called["PyGILState_Release"]
    request.code.data, request.code.length = text, len(text)
    status = lib.ai_inject(request, injected, error)
    return status, injected, message_of(error) if status else ""


def _await_beginning(pid: int, region: int) -> None:
    """Wait until the borrowed thread has tried to start the new thread.

    Raises ``AttachError`` when that failed.
    """
    until = time.monotonic() + BEGIN_SECS
    with TargetMemory(pid) as memory:
        while time.monotonic() < until:
            created = _number(memory, region + _CODE_BYTES + _CREATED)
            if created > 1:
                raise AttachError(f"process {pid} cannot start a thread: error {created - 1}")
            if created:
                return
            time.sleep(0.001)


def _number(memory: TargetMemory, address: int) -> int:
    return int.from_bytes(memory.read(address, 4), "little", signed=True)
