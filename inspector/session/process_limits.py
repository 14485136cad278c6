"""The system's limits for a process, and how much of each it uses. Reads ``/proc``; any thread."""

from __future__ import annotations

from typing import Final

from inspector.attach.procfs import open_descriptors, own_memory
from inspector.model.limits import MEMORY, Limit

MIB: Final = 1 << 20


def process_limits(pid: int) -> tuple[Limit, ...]:
    """File descriptors and memory, as far as the system says."""
    descriptors, memory = open_descriptors(pid), own_memory(pid)
    found = () if descriptors is None else (Limit("file descriptors", *descriptors),)
    if memory is None:
        return found
    used, capacity = memory
    return (*found, Limit(MEMORY, used // MIB, capacity // MIB))
