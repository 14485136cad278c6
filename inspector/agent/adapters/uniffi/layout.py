"""The place of an object's counts, found once a class by the library's clone and release.

An ``Arc`` is ``{strong: usize, weak: usize, data}``; a handle points to ``data``. For data aligned
to 16 bytes or less ``strong`` is 16 bytes before it, for a larger alignment that many bytes. The
alignment is not known from Python, so: look at every candidate, let the library clone, look again,
let it release, look again. The count is the word that rose by 1 and fell again. Another thread that
uses the same object can spoil a try, never confirm a wrong candidate twice.

For a Rust-implemented trait the handle points to a pair {inner ``Arc``, vtable}. The inner ``Arc``
names the object and counts its holders; the outer (contract 30: an ``Arc``, before: a ``Box``) is
made for each value that crosses the boundary. So a trait's address is the inner allocation, which
is read from the handle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from inspector.agent.adapters.uniffi.memory import WORD_BYTES, word
from inspector.wire.uniffi import MOST_STRONG, MOST_WEAK, SMALL

CANDIDATES: Final = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Bytes from the allocation's start to the data, for alignments up to a page."""
TRIES: Final = 8
"""Tries in one calibration; with one other thread busy on the same object more than half of them
fail."""
CONFIRMATIONS: Final = 2
"""Tries that must agree."""


def data_offset(
    handle: int, clone: Callable[[], int], release: Callable[[int], object]
) -> int | None:
    """Bytes from the allocation's start to the data of a class of objects.

    ``None`` when it cannot be told.

    Args:
        handle: A handle; the caller keeps it alive. A handle that was released before is recognised
            by its words, and not cloned.
        clone: The library's clone of that handle.
        release: The library's release of what ``clone`` returned.
    """
    if not _may_be_live(handle):
        return None
    agreed: list[int] = []
    for _ in range(TRIES):
        offset = _try(handle, clone, release)
        if offset is not None:
            agreed.append(offset)
        if len(agreed) == CONFIRMATIONS:
            break
    return agreed[0] if len(agreed) == CONFIRMATIONS and len(set(agreed)) == 1 else None


def likely_offset(handle: int) -> int | None:
    """As ``data_offset``, for a generation without a clone that could prove it.

    ``None`` when it looks like nothing known.

    A handle that is a multiple of 16 and not of 32 rules larger alignments out. Otherwise only the
    look of the two words decides: before an object that is aligned to more (or before a trait's
    box) there is no pair of small counts.
    """
    strong, weak = word(handle - SMALL), word(handle - SMALL // 2)
    if strong is None or weak is None:
        return None
    return SMALL if 0 < strong <= MOST_STRONG and 0 < weak <= MOST_WEAK else None


def _may_be_live(handle: int) -> bool:
    """Whether there is a pair of small counts at a candidate.

    A freed allocation has pointers and sizes there, or zeros.
    """
    for offset in CANDIDATES:
        strong, weak = word(handle - offset), word(handle - offset + WORD_BYTES)
        is_pair = (
            strong is not None
            and weak is not None
            and 0 < strong <= MOST_STRONG
            and 0 < weak <= MOST_WEAK
        )
        if is_pair and (offset == SMALL or not handle % offset):
            return True
    return False


def _try(handle: int, clone: Callable[[], int], release: Callable[[int], object]) -> int | None:
    """The only candidate that followed one clone and one release."""
    before = _words(handle)
    cloned = clone()
    during = _words(handle)
    release(cloned)
    after = _words(handle)
    followed = [
        offset
        for offset, first, second, third in zip(CANDIDATES, before, during, after, strict=True)
        if first is not None and second == first + 1 and third == first and first > 0
    ]
    return followed[0] if len(followed) == 1 else None


def _words(handle: int) -> list[int | None]:
    """The candidates' values."""
    return [word(handle - offset) for offset in CANDIDATES]
