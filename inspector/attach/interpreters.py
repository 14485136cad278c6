"""How many interpreters run in a process, and which of its children run Python.

Reads only. Any thread.

An agent lives in the main interpreter of its process and sees the objects of that one alone.
"""

from __future__ import annotations

from typing import Final

import psutil

from inspector.attach.interpreter import (
    DEBUG_COOKIE,
    Interpreter,
    MemoryReadError,
    TargetMemory,
    find_interpreter,
)
from inspector.errors import AttachError

MOST_INTERPRETERS: Final = 1000
MOST_CHILDREN: Final = 20
_PUBLISHED_HEAD, _PUBLISHED_NEXT = 40, 64
"""Where 3.13 and later say at which offset the list begins in their state, and the next entry
stands in each entry."""
_HEADS: Final = range(32, 104, 8)
"""Offsets at which 3.11 and 3.12 have their list: the head, the main interpreter, the number that
the next one gets."""


def count_interpreters(pid: int) -> int | None:
    """Interpreters of a process, the main one among them; ``None``: not known."""
    try:
        interpreter = find_interpreter(pid)
        return (
            None if interpreter is None or not interpreter.runtime else count_in(pid, interpreter)
        )
    except AttachError:
        return None


def count_in(pid: int, interpreter: Interpreter) -> int | None:
    """``count_interpreters`` of a process whose interpreter was found."""
    runtime = interpreter.runtime
    try:
        with TargetMemory(pid) as memory:
            if memory.read(runtime, 8) == DEBUG_COOKIE:
                head = memory.word(runtime + memory.word(runtime + _PUBLISHED_HEAD))
                return len(_entries(memory, head, memory.word(runtime + _PUBLISHED_NEXT))) or None
            return next((count for at in _HEADS if (count := _listed(memory, runtime + at))), None)
    except MemoryReadError:
        return None


def python_children(pid: int) -> tuple[tuple[int, str], ...]:
    """Number and interpreter of each descendant that runs Python.

    Example: ``(4711, "CPython 3.11.7")``.
    """
    try:
        descendants = psutil.Process(pid).children(recursive=True)[:MOST_CHILDREN]
    except psutil.Error:
        return ()
    found = ((each.pid, _interpreter_text(each.pid)) for each in descendants)
    return tuple((child, text) for child, text in found if text)


def _interpreter_text(pid: int) -> str:
    try:
        interpreter = find_interpreter(pid)
    except AttachError:
        return ""
    return interpreter.text if interpreter else ""


def _listed(memory: TargetMemory, place: int) -> int:
    """Entries of the list at a place; 0: no such list is there.

    The main interpreter is the oldest, so its entry is the last.
    """
    head, main, following = (memory.word(place + 8 * number) for number in range(3))
    if not main or not 0 < following < MOST_INTERPRETERS * MOST_INTERPRETERS:
        return 0
    try:
        entries = _entries(memory, head, 0)
    except MemoryReadError:
        return 0
    return len(entries) if entries[-1:] == [main] and len(entries) <= following else 0


def _entries(memory: TargetMemory, head: int, next_at: int) -> list[int]:
    """Addresses in a list that the process may change meanwhile; empty for an endless list."""
    found: list[int] = []
    while head and head not in found:
        if len(found) == MOST_INTERPRETERS:
            return []
        found.append(head)
        head = memory.word(head + next_at)
    return found
