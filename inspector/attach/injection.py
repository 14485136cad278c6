"""Guarded injection, the part that chooses: which thread, when, how often. The stop itself is native (``native/src/inject``).

Runs in the injector process, on its main thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from inspector.attach import procfs
from inspector.attach.interpreter import Interpreter, MemoryReadError, TargetMemory
from inspector.errors import AttachError
from inspector.wire import ffi, lib
from inspector.wire.status import Status, message_of, new_error

MOST_TRIES: Final = 40
PAUSE_SECS: Final = 0.01
BEGIN_SECS: Final = 2.0
"""How long the borrowed thread may take to have started the new one: it has to be given a processor."""
_LEFT, _CREATED, _DONE, _BORROWED = 8, 12, 16, 24
"""Where the region's words lie, behind its code: as in ``native/src/inject/region.rs``."""
_CODE_BYTES: Final = 4096
_WAITS: Final = frozenset({0, 7, 23, 34, 35, 43, 45, 47, 61, 128, 202, 230, 232, 247, 270, 271, 281, 288})
"""System calls in which a thread is worth a try; native code decides. Numbers of x86-64."""


class TargetHasNoQuietMomentError(AttachError):
    """No thread was at a harmless point in all tries: busy."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A thread of the target has begun to run the line."""

    paused_secs: float
    """How long one of its threads was held, the last time."""
    tries: int
    region: int


def enter(pid: int, interpreter: Interpreter, code: str) -> Entered:
    """Have the target run a line of Python on a new thread. Bounded tries; raises ``AttachError``."""
    why = "it has no thread"
    region = reusable_region(pid)
    for tries in range(1, MOST_TRIES + 1):
        tid = _best_thread(pid, tries)
        status, injected, why = _try(pid, tid, region, interpreter, code) if tid else (Status.PENDING, None, why)
        if injected is not None:
            _await_beginning(pid, injected.region)
            return Entered(injected.paused_nanos / 1e9, tries, injected.region)
        if status != Status.PENDING:
            raise AttachError(f"{why} (process {pid})")
        if procfs.thread_state(pid, pid) in ("", "Z", "X"):
            raise AttachError(f"process {pid} has ended")
        time.sleep(PAUSE_SECS)
    raise TargetHasNoQuietMomentError(f"busy: in {MOST_TRIES} tries no thread was at a harmless point, at last because {why}; try again")


def nudge(pid: int) -> bool:
    """Have the wait of the main thread fail with ``EINTR``, so that its interpreter comes by. False: it waits in none that bears it."""
    did, error = ffi.new("int32_t *"), new_error()
    status = lib.ai_nudge(pid, pid, did, error)
    if status and status != Status.PENDING:
        raise AttachError(f"{message_of(error)} (process {pid})")
    return bool(did[0])


def reusable_region(pid: int) -> int:
    """The region of an earlier injection that everybody has left for certain; 0: none."""
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
    """Both threads said that they are through, and the one that was borrowed is seen elsewhere or has ended."""
    words = region + _CODE_BYTES
    if not (_number(memory, words + _LEFT) and _number(memory, words + _DONE)):
        return False
    tid = memory.word(words + _BORROWED)
    if tid not in procfs.tasks(pid):
        return True
    waits = procfs.system_call(pid, tid)
    return waits is not None and waits.number >= 0 and not region <= waits.at < region + _CODE_BYTES


def _best_thread(pid: int, tries: int) -> int:
    """A thread that waits where waiting is harmless, else the running ones in turn; 0: there is none."""
    tasks = procfs.tasks(pid)
    waiting = [tid for tid in tasks if (waits := procfs.system_call(pid, tid)) and waits.number in _WAITS]
    if waiting and tries % 2:
        return waiting[tries // 2 % len(waiting)]
    running = [tid for tid in tasks if procfs.thread_state(pid, tid) == "R"] or waiting
    return running[tries // 2 % len(running)] if running else 0


def _try(pid: int, tid: int, region: int, interpreter: Interpreter, code: str) -> tuple[int, Any, str]:
    text = ffi.from_buffer("uint8_t[]", code.encode())
    request, injected, error = ffi.new("AiInjection *"), ffi.new("AiInjected *"), new_error()
    place = request.place
    place.pid, place.tid, place.region, place.syscall = pid, tid, region, interpreter.system_call
    place.libc.low, place.libc.high = interpreter.c_library.code
    place.python.low, place.python.high = interpreter.image.code
    called = interpreter.functions
    functions = place.functions
    functions.create, functions.own, functions.detach = (called[name] for name in ("pthread_create", "pthread_self", "pthread_detach"))
    functions.is_initialized, functions.ensure = called["Py_IsInitialized"], called["PyGILState_Ensure"]
    functions.run, functions.release = called["PyRun_SimpleString"], called["PyGILState_Release"]
    request.code.data, request.code.length = text, len(text)
    status = lib.ai_inject(request, injected, error)
    if status:
        return status, None, message_of(error)
    return status, injected, ""


def _await_beginning(pid: int, region: int) -> None:
    """Wait until the borrowed thread has tried to start the new one. Raises ``AttachError`` when that failed."""
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
