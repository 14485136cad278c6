"""Reads the Python stacks of one process and prints them as JSON: run as a process of its own (``threads`` starts it).

Nothing is stopped: a thread that runs meanwhile may be seen between two moments, or not at all.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from inspector.attach.outside.threads import LONGEST_NAME, MOST_FRAMES, MOST_THREADS

LOOKS: Final = 9
PAUSE_SECS: Final = 0.003
"""The process runs on meanwhile: at some moments its frames, or those of one thread, make no sense. One look takes little."""


def main(arguments: Sequence[str]) -> int:
    """Print ``{"threads": [{"tid", "gil", "frames": [[function, file, line]]}], "error"}``; frames innermost first."""
    seen: dict[int, list[dict[str, Any]]] = {}
    error = ""
    for _ in range(LOOKS):
        try:
            for thread in _threads(int(arguments[0])):
                seen.setdefault(thread["tid"], []).append(thread)
        except Exception as failure:  # a foreign library over another process's memory: whatever it is, it is told
            error = str(failure) or type(failure).__name__
        time.sleep(PAUSE_SECS)
    json.dump({"threads": [_likeliest(found) for found in seen.values()], "error": "" if seen else error}, sys.stdout)
    return 0


def _likeliest(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The newest stack of a thread among those that begin where most do: one that was read while it changed ends somewhere else."""
    whole = [thread for thread in found if thread["frames"]] or list(found)
    roots = Counter(str(thread["frames"][-1:]) for thread in whole)
    return next(thread for thread in reversed(whole) if str(thread["frames"][-1:]) == roots.most_common(1)[0][0])


def _threads(pid: int) -> Iterator[dict[str, Any]]:
    from pystack.engine import NativeReportingMode, StackMethod, get_process_threads

    found = get_process_threads(pid, stop_process=False, native_mode=NativeReportingMode.OFF, method=StackMethod.AUTO)
    for thread, _ in zip(found, range(MOST_THREADS), strict=False):
        frames = [[frame.code.scope[:LONGEST_NAME], frame.code.filename[:4096], frame.code.location.lineno] for frame in thread.frames]
        yield {"tid": thread.tid, "gil": thread.holds_the_gil == 1, "frames": frames[::-1][:MOST_FRAMES]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
