"""The wait of another process's thread, in words, as far as the kernel shows it. Any thread."""

from __future__ import annotations

import time
from typing import Final

from inspector.attach import procfs

_WORDS: Final = {
    0: "read",
    7: "poll",
    23: "select",
    34: "a signal",
    35: "sleep",
    43: "accept",
    45: "a socket",
    47: "a socket",
    61: "a child process",
    128: "a signal",
    202: "a lock",
    230: "sleep",
    232: "epoll",
    247: "a child process",
    270: "select",
    271: "poll",
    281: "epoll",
    288: "accept",
}
"""By the number of the system call on x86-64."""
_LOOKS: Final = 20
_LOOK_SECS: Final = 0.005
_STATES: Final = {
    "T": "stopped by a signal",
    "t": "stopped by a debugger",
    "D": "waits for a device",
    "R": "runs",
    "Z": "has ended",
}


def settled_wait(pid: int) -> str:
    """The main thread's wait once it waits again; a thread that stays running runs no Python."""
    for _ in range(_LOOKS):
        if procfs.system_call(pid, pid) is not None:
            break
        time.sleep(_LOOK_SECS)
    waits = waits_on(pid)
    return "runs native code" if waits == "runs" else waits


def waits_on(pid: int, tid: int | None = None) -> str:
    """``waits in select``, ``waits on a lock``, ``runs native code``.

    The thread is the main thread unless another is named.
    """
    tid = pid if tid is None else tid
    waits = procfs.system_call(pid, tid)
    if waits is not None and waits.number >= 0:
        word = _WORDS.get(waits.number, f"system call {waits.number}")
        return f"waits {'on' if ' ' in word else 'in'} {word}"
    return _STATES.get(procfs.thread_state(pid, tid), "waits on something unknown")
