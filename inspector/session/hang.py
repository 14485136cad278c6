"""Stacks of a target's threads while it hangs: read from outside, since no thread in it can answer.

Owned by the pump thread; each reading runs on a thread of its own, and one at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from inspector.attach.outside.look import look
from inspector.attach.outside.seen import SeenThread
from inspector.attach.outside.threads import look_at_threads
from inspector.errors import AttachError
from inspector.model.snapshot import Snapshot
from inspector.model.stacks import ThreadStack
from inspector.session.outside_look import stacks_of

AGAIN_SECS: Final = 2.0
"""From the end of one reading to the next."""


class HangStacks:
    """Reads stacks while a target hangs, and forgets them when it answers again."""

    def __init__(self, pid: int) -> None:
        """Nothing is read yet."""
        self._pid = pid
        self._found: tuple[tuple[ThreadStack, ...], str] = ((), "")
        self._reader: threading.Thread | None = None
        self._next_at = 0.0
        self._names: dict[int, str] = {}

    def note(self, at: float, *, is_hung: bool) -> None:
        """The target hangs, or does not; ``at`` in monotonic seconds. Returns at once."""
        if self._reader is not None and self._reader.is_alive():
            return
        if self._reader is not None:
            self._reader, self._next_at = None, at + AGAIN_SECS
        if not is_hung:
            self._found, self._names = ((), ""), {}
        elif at >= self._next_at:
            self._reader = threading.Thread(target=self._read, name="stacks", daemon=True)
            self._reader.start()

    def added_to(self, snapshot: Snapshot) -> Snapshot:
        """With the stacks that are known, and why there are none where they could not be read."""
        stacks, why = self._found
        if not stacks and not why:
            return snapshot
        names = {row.tid: row.name for row in snapshot.threads.values() if row.name}
        return replace(
            snapshot, stacks=_named(stacks, names), notes=(*snapshot.notes, *([why] if why else []))
        )

    def _read(self) -> None:
        """Read the stacks of all threads.

        The first reading in a hang looks for the program's names of threads too, which takes a
        search of its memory.
        """
        threads, _, why = look_at_threads(self._pid)
        if not self._names:
            self._found = stacks_of(threads), why
            self._names = self._names_of(threads)
        self._found = _named(stacks_of(threads), self._names), why

    def _names_of(self, threads: Sequence[SeenThread]) -> dict[int, str]:
        try:
            return {each.tid: each.name for each in look(self._pid, with_stacks=False).threads}
        except AttachError:
            return {each.tid: each.name for each in threads}


def _named(stacks: tuple[ThreadStack, ...], names: Mapping[int, str]) -> tuple[ThreadStack, ...]:
    """By the program's names for its threads."""
    return tuple(replace(stack, name=names.get(stack.tid, stack.name)) for stack in stacks)
