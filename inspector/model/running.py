"""Synchronous calls that have rows of their own.

They have the threads that they run on, and the references that they add to their objects' counts.

Sampling takes a reference that stays for native code's, and a call that does not return keeps its
own as long. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from inspector.model.counts import Flags, Objects, Strongs
from inspector.model.raw import LayoutCodes
from inspector.model.snapshot import (
    UNKNOWN,
    CallInFlight,
    Floats,
    Handles,
    Ids,
    Ints,
    ThreadRow,
)

TID_BITS = np.uint64(0xFFFF_FFFF)
"""Of a call's ``data``: the system's number of its thread."""


@dataclass(frozen=True, slots=True)
class RunningCalls:
    """The calls among the rows of a table, one element a row."""

    are_uses: Flags
    """Rows of calls, and of the arguments of calls."""
    are_counted: Flags
    """The object counts one reference for it."""
    are_calls: Flags
    """Rows of calls alone."""
    threads: Ints
    """Index of the thread that it runs on; 0: it is no call."""
    strangers: Mapping[int, int]
    """Index given to each thread that has no record, and its number in the system."""


@dataclass(frozen=True, slots=True)
class CallRows:
    """Calls that run, one element a call, in slot order."""

    ids: Ids
    began_at: Floats
    """``nan``: unknown."""
    threads: Ints
    """Index of the thread that it runs on."""
    strangers: Mapping[int, int]
    """As in ``RunningCalls``."""


def call_rows(handles: Handles, running: RunningCalls) -> CallRows:
    """The rows of calls alone."""
    rows = np.flatnonzero(running.are_calls)
    return CallRows(
        handles.ids[rows], handles.created_at[rows], running.threads[rows], running.strangers
    )


def running_calls(
    are_uses: Flags, data: Ids, threads: Mapping[int, int], first_free: int, codes: LayoutCodes
) -> RunningCalls:
    """Read the rows marked ``are_uses``.

    ``threads``: index by number in the system; unknown threads are given indices from
    ``first_free`` on.
    """
    indices, known = np.zeros(len(data), np.int64), dict(threads)
    strangers: dict[int, int] = {}
    for row in np.flatnonzero(are_uses).tolist():
        tid = int(data[row] & TID_BITS)
        if tid not in known:
            known[tid] = first_free + len(strangers)
            strangers[known[tid]] = tid
        indices[row] = known[tid]
    borrows, argument = (
        (data & np.uint64(bit)) != 0 for bit in (codes.running_borrows, codes.running_argument)
    )
    return RunningCalls(are_uses, are_uses & ~borrows, are_uses & ~argument, indices, strangers)


def at_rest(counts: Strongs, objects: Objects, proxies: Ints, calls: Flags) -> Strongs:
    """The counts without references of ``calls`` that sampling took for native code's.

    Sampling takes all references beyond the calls that it saw for native code's.
    """
    if not calls.any():
        return counts
    held = np.maximum(objects.spread(calls.astype(np.int64)), 0)
    spare = np.where(
        (counts.strong == UNKNOWN) | (proxies == UNKNOWN), 0, np.maximum(counts.strong - proxies, 0)
    )
    moved = np.minimum(np.maximum(held - np.maximum(counts.in_flight, 0), 0), spare)
    outer = np.where(counts.outer > moved, counts.outer - moved, counts.outer)
    plain = np.where(
        (counts.outer == UNKNOWN) & (counts.inner > moved), counts.inner - moved, counts.inner
    )
    return replace(counts, strong=counts.strong - moved, outer=outer, inner=plain)


def stranger(index: int, tid: int, name: str = "", *, handles: int = 0) -> ThreadRow:
    """A thread without a record, which made and released so many ``handles``."""
    nan = float("nan")
    return ThreadRow(
        index,
        tid,
        name,
        alive=True,
        started_at=nan,
        ended_at=nan,
        created=handles,
        released=handles,
    )


def with_calls(threads: dict[int, ThreadRow], calls: CallRows) -> dict[int, ThreadRow]:
    """The threads, each with the calls on it beside the calls that its record names.

    Threads without a record are among them.
    """
    for index, tid in calls.strangers.items():
        threads.setdefault(index, stranger(index, tid))
    found: dict[int, list[CallInFlight]] = {}
    began = np.nan_to_num(calls.began_at, nan=-np.inf)
    for place in np.argsort(began, kind="stable").tolist():
        call = CallInFlight(int(calls.ids[place]), float(calls.began_at[place]))
        found.setdefault(int(calls.threads[place]), []).append(call)
    for index, running in found.items():
        threads[index] = replace(threads[index], calls=(*threads[index].calls, *running))
    return threads
