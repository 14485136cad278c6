"""Frames of all threads that run one of some functions.

Worker thread, with the interpreter's lock.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FrameType
from typing import Any, Final

from inspector.agent.plain import python_threads, thread_of

MOST_THREADS: Final = 256
MOST_FRAMES: Final = 48
"""Innermost frames of one stack that are looked at."""


def thread_labels() -> dict[int, str]:
    """Names of the threads that ``threading`` knows, by their number in the system."""
    known = [thread_of(thread) for thread in python_threads().values()]
    return {number: name or f"thread {number}" for name, number in known if number}


def frames_of(codes: Mapping[CodeType, Any]) -> Iterator[tuple[int, FrameType]]:
    """Frames that run one of these codes, each with its thread's number in the system.

    Holds none of them.
    """
    numbers = {ident: thread_of(thread)[1] for ident, thread in python_threads().items()}
    for (ident, innermost), _ in zip(
        sys._current_frames().items(), range(MOST_THREADS), strict=False
    ):
        frame: FrameType | None = innermost
        for _ in range(MOST_FRAMES):
            if frame is None:
                break
            if frame.f_code in codes:
                yield numbers.get(ident) or 0, frame
            frame = frame.f_back
