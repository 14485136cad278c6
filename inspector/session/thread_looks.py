"""One look at the stacks of a process's threads, from outside. Nothing in it is stopped."""

from __future__ import annotations

from dataclasses import replace

from inspector.attach.outside.look import look
from inspector.errors import AttachError
from inspector.model.snapshot import Snapshot
from inspector.session.outside_rows import stacks_of


def with_stacks(snapshot: Snapshot) -> tuple[Snapshot, int]:
    """The snapshot with the stacks of all threads, and the number of threads left out.

    Raises ``AttachError`` when the process cannot be read.
    """
    found = look(snapshot.target.pid, with_objects=False)
    if not found.threads and found.notes:
        raise AttachError(f"{found.notes[0]} (process {snapshot.target.pid})")
    names = {row.tid: row.name for row in snapshot.threads.values() if row.name}
    stacks = tuple(
        replace(each, name=names.get(each.tid, each.name)) for each in stacks_of(found.threads)
    )
    notes = (*snapshot.notes, *found.notes)
    return replace(snapshot, stacks=stacks, notes=notes), found.more_threads
