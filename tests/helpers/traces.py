"""Traces of a process for comparison: descriptors, threads, handlers, files, memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.attach import procfs

SETXID: Final = 1 << 32
"""The C library handles this signal itself from the first thread of a process on, for good: without
it ``setuid`` would hang."""


@dataclass(frozen=True)
class Traces:
    """The traces at one moment."""

    descriptors: dict[int, str]
    threads: int
    handlers: int
    """Signals that are caught, one bit each, without the C library's own."""
    executable: frozenset[tuple[int, int]]
    """Ranges of memory without a file that may be executed."""
    shared: frozenset[str]
    """Files that are mapped to be shared."""
    mappings: int
    writable_bytes: int
    """Private memory that may be written. Address space that is only reserved costs nothing and is
    not counted: the C library reserves 64 MB when two threads first allocate at once."""
    resident_bytes: int


def traces_of(pid: int) -> Traces:
    """Look at a process."""
    status, mapped = procfs.status(pid), procfs.mappings(pid) or []
    names = {int(link.name): str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    return Traces(
        descriptors=names,
        threads=len(procfs.tasks(pid)),
        handlers=int(status["SigCgt"], 16) & ~SETXID,
        executable=frozenset(
            (each.low, each.high) for each in mapped if each.is_code and not each.path
        ),
        shared=frozenset(each.path for each in mapped if each.flags.endswith("s")),
        mappings=len(mapped),
        writable_bytes=_bytes(status["VmData"]),
        resident_bytes=_bytes(status["VmRSS"]),
    )


def published(pid: int) -> list[Path]:
    """Files of a process's agent in our environment, including hidden files."""
    folder = Path(os.environ.get("XDG_RUNTIME_DIR") or "/dev/shm")  # noqa: S108 - where segments lie
    return [
        path
        for path in folder.glob("arc-inspector-*/*")
        if path.name.lstrip(".").startswith(f"{pid}-")
    ]


def _bytes(text: str) -> int:
    return int(text.split()[0]) << 10
