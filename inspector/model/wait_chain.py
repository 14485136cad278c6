"""The chain of a close that waits: the close, its thread, the thread's stack, and its lock.

Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.pending import PendingCloses
from inspector.model.snapshot import Ids, Snapshot, ThreadRow
from inspector.model.stacks import Frame, ThreadStack
from inspector.model.wording import age
from inspector.source_places import naming_frame
from inspector.vocabulary import Resource, handle_text

MOST_FRAMES: Final = 24
NOT_READ: Final = "Its stack was not read yet"
NOT_FOUND: Final = "Its stack was not found in the reading"


@dataclass(frozen=True, slots=True)
class Link:
    """One line of a chain."""

    role: str
    """``Close``, ``Thread``, ``Is at``, ``Called by`` or ``Waits``."""
    text: str
    frame: Frame | None = None
    """The line of code that a click opens."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The links from the close to the lock, a line each; none: nothing is chosen."""

    links: tuple[Link, ...] = ()

    def __len__(self) -> int:
        """Lines."""
        return len(self.links)

    @property
    def keys(self) -> Ids:
        """A key for each line: its place."""
        return np.arange(1, len(self.links) + 1, dtype=np.uint64)


def wait_chain(snapshot: Snapshot, closes: PendingCloses, handle: int, now: float) -> Chain:
    """The chain of the close of ``handle``; empty when that handle has no pending close.

    ``snapshot`` has the stacks that are known. ``now``: the target's time, seconds since the epoch.
    """
    found = np.flatnonzero(closes.ids == np.uint64(handle))
    if not len(found):
        return Chain()
    row = int(found[0])
    waits = age(now - float(closes.since[row]))
    links = [Link("Close", f"{closes.type_name(row)} {handle_text(handle)}, for {waits}")]
    place = closes.request_place(row)
    asked = " at ".join(filter(None, (closes.requester(row), place)))
    if asked:
        site = closes.request_site(row)
        links.append(Link("Asked by", asked, site.frames[site.naming] if place and site else None))
    for thread in threads_awaited(snapshot, closes, row):
        links += _of_thread(thread, snapshot.stacks)
    return Chain(tuple(links))


def threads_awaited(snapshot: Snapshot, closes: PendingCloses, row: int) -> tuple[ThreadRow, ...]:
    """The live threads that a close waits for: its owner, or the callers of its object."""
    owner = closes.waits_for(row)
    if owner is not None:
        return (owner,) if owner.alive else ()
    if closes.resource(row) is not Resource.DRAINING:
        return ()
    handle = int(closes.ids[row])
    return tuple(
        thread
        for thread in snapshot.threads.values()
        if thread.alive and any(call.handle == handle for call in thread.calls)
    )


def standing_frame(stack: ThreadStack) -> tuple[str, Frame] | None:
    """Where a thread stands: a function, and the line of the program that called it.

    ``queue.get`` and the line with the call; without a call into a library the line's own
    function. ``None``: it runs no Python.
    """
    if not stack.frames:
        return None
    place = naming_frame([frame.file for frame in stack.frames], ())
    frame = stack.frames[place]
    if place == 0:
        return frame.function, frame
    called = stack.frames[place - 1]
    module = called.file.rpartition("/")[2].removesuffix(".py")
    return f"{module}.{called.function}", frame


def _of_thread(thread: ThreadRow, stacks: tuple[ThreadStack, ...]) -> list[Link]:
    links = [Link("Thread", f"{thread.label} ({thread.tid})")]
    stack = next((each for each in stacks if each.tid == thread.tid), None)
    if stack is None:
        return [*links, Link("Is at", NOT_FOUND if stacks else NOT_READ)]
    lock = ", and holds the interpreter's lock" if stack.holds_gil else ""
    links.append(Link("Waits", f"{stack.doing}{lock}"))
    for depth, frame in enumerate(stack.frames[:MOST_FRAMES]):
        links.append(Link("Called by" if depth else "Is at", frame.short(), frame))
    if not stack.frames:
        links.append(Link("Is at", "It runs no Python, or its stack could not be read"))
    if len(stack.frames) > MOST_FRAMES:
        links.append(Link("Called by", f"{len(stack.frames) - MOST_FRAMES:,} more lines"))
    return links
