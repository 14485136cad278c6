"""Threads of a process and their work, from outside: the kernel's facts, and Python's stacks.

The stacks are read by ``pystack``, in a process of its own: it parses the target's memory, and if
that crashes it, the viewer runs on. It stops nothing. Any thread.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

from inspector.attach import procfs
from inspector.attach.outside.seen import SeenFrame, SeenRunning, SeenThread
from inspector.attach.thread_waits import waits_on

MOST_THREADS: Final = 256
MOST_FRAMES: Final = 64
LONGEST_NAME: Final = 200
PATIENCE_SECS: Final = 60.0
"""A guard against a process that waits for ever; work without end stops at a processor time."""
MOST_BYTES: Final = 8 << 20
CHILD: Final = "inspector.attach.outside.stacks"


def look_at_threads(
    pid: int, *, with_stacks: bool = True
) -> tuple[tuple[SeenThread, ...], int, str]:
    """The threads, the main one first.

    How many were left out; and why there are no stacks, or ``""``.
    """
    stacks, why = python_stacks(pid) if with_stacks else ({}, "")
    tids = procfs.tasks(pid)
    seen = tuple(
        _thread(pid, tid, stacks.get(procfs.inner_tid(pid, tid), {})) for tid in tids[:MOST_THREADS]
    )
    return seen, max(len(tids) - MOST_THREADS, 0), why


def _thread(pid: int, tid: int, found: Mapping[str, Any]) -> SeenThread:
    frames = tuple(
        SeenFrame(str(function), str(file), int(line))
        for function, file, line in found.get("frames", ())
    )
    calls = tuple(
        SeenRunning(int(status), str(method), int(depth), int(own), tuple(map(int, others)))
        for status, method, depth, own, others in found.get("calls", ())
    )
    return SeenThread(
        tid, procfs.thread_name(pid, tid), waits_on(pid, tid), frames, bool(found.get("gil")), calls
    )


def python_stacks(pid: int) -> tuple[dict[int, dict[str, Any]], str]:
    """Stacks by thread, and why there are none."""
    if importlib.util.find_spec("pystack") is None:
        return {}, "Python's stacks need pystack: pip install pystack"
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", CHILD, str(pid)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_SECS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {}, f"Python's stacks could not be read within {PATIENCE_SECS:.0f} s"
    try:
        said = json.loads(done.stdout[:MOST_BYTES])
        return {int(each["tid"]): each for each in said["threads"]}, _why(said.get("error"))
    except (ValueError, TypeError, KeyError):
        return {}, "Python's stacks could not be read: the reading process ended early"


def _why(error: object) -> str:
    return (
        (f"Python's stacks could not be read: {' '.join(str(error).split())[:LONGEST_NAME]}")
        if error
        else ""
    )
