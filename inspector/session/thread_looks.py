"""One look at the stacks of a process's threads, from outside. Nothing in it is stopped."""

from __future__ import annotations

import time
from dataclasses import replace

from inspector.attach.outside.look import look
from inspector.errors import AttachError
from inspector.model.snapshot import Snapshot
from inspector.model.stack_reading import StackReading
from inspector.session.outside_look import stacks_of


def read_stacks(pid: int, latest: Snapshot | None) -> StackReading:
    """The stacks of all threads, with the names that the threads have in ``latest``.

    Raises ``AttachError`` when the process cannot be read.
    """
    at = time.time()
    found = look(pid, with_objects=False)
    if not found.threads and found.notes:
        raise AttachError(f"{found.notes[0]} (process {pid})")
    rows = latest.threads.values() if latest is not None else ()
    names = {row.tid: row.name for row in rows if row.name}
    stacks = tuple(
        replace(each, name=names.get(each.tid, each.name)) for each in stacks_of(found.threads)
    )
    return StackReading(at, stacks, found.more_threads, found.notes)


def with_stacks(snapshot: Snapshot) -> tuple[Snapshot, int]:
    """The snapshot with the stacks of all threads, and the number of threads left out.

    Raises ``AttachError`` when the process cannot be read.
    """
    found = read_stacks(snapshot.target.pid, snapshot)
    notes = (*snapshot.notes, *found.notes)
    return replace(snapshot, stacks=found.stacks, notes=notes), found.more
