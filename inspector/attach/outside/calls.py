"""Asynchronous UniFFI calls in flight in another process: their coroutines and objects.

A coroutine's frame lies within it. The method that awaits the call is the coroutine in whose frame
the call is; its first local is the proxy. One thread.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import WORD_BYTES, Addresses, Gathered
from inspector.attach.outside.objects import Objects
from inspector.wire.uniffi import CALL_NAME

CODE_QUALIFIED_NAME: Final = 128
FRAME_WORDS: Final = 64
"""Of a frame's locals and stack, as much as is looked at."""
TAG_BITS: Final = 3
"""3.14 marks borrowed references in a word's lowest bits."""


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One pending call."""

    place: int
    """The coroutine."""
    method: str
    """``Client.fetch``; ``""``: nobody awaits it."""
    proxy: int
    """What the method was called on; 0: it is a function, or that cannot be told."""
    future: int
    """The future's handle."""


def pending_calls(
    objects: Objects, coroutines: Addresses, proxies: Container[int]
) -> list[SeenCall]:
    """The pending calls among all coroutines. ``proxies``: addresses of living proxies."""
    layout = objects.layout
    if not layout.coroutine_frame or not len(coroutines):
        return []
    start = coroutines + np.uint64(layout.coroutine_frame)
    codes = objects.memory.words(start + np.uint64(layout.frame_code)) & ~np.uint64(TAG_BITS)
    names = objects.texts(objects.memory.words(codes + np.uint64(CODE_QUALIFIED_NAME)))
    frames = objects.memory.gather(start + np.uint64(layout.frame_locals), FRAME_WORDS * WORD_BYTES)
    is_call = np.array([name == CALL_NAME for name in names], np.bool_)
    calls = np.flatnonzero(is_call)
    futures, _ = objects.numbers(_locals(frames)[calls, 0])
    outer = _awaiting(frames, coroutines, calls)
    found = []
    for call, future in zip(calls.tolist(), futures.tolist(), strict=True):
        method = outer.get(int(coroutines[call]))
        proxy = int(_locals(frames)[method, 0]) if method is not None else 0
        found.append(
            SeenCall(
                int(coroutines[call]),
                names[method] if method is not None else "",
                proxy if proxy in proxies else 0,
                int(future),
            )
        )
    return found


def _locals(frames: Gathered) -> npt.NDArray[np.uint64]:
    words: npt.NDArray[np.uint64] = frames.words(0, FRAME_WORDS) & ~np.uint64(TAG_BITS)
    return words


def _awaiting(
    frames: Gathered, coroutines: Addresses, calls: npt.NDArray[np.int64]
) -> dict[int, int]:
    """Line of the coroutine that awaits each call."""
    words = _locals(frames)
    rows, columns = np.nonzero(np.isin(words, coroutines[calls]))
    return {
        int(words[row, column]): int(row)
        for row, column in zip(rows, columns, strict=True)
        if coroutines[row] != words[row, column]
    }
