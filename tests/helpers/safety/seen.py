"""The kernel's view of a process at one moment, as far as an agent could change it."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from inspector.attach import procfs

STATUS_FIELDS: Final = {
    "caught signals": "SigCgt",
    "ignored signals": "SigIgn",
    "blocked signals": "SigBlk",
    "umask": "Umask",
    "processors": "Cpus_allowed_list",
    "no new privileges": "NoNewPrivs",
    "system call filter": "Seccomp",
    "capabilities": "CapEff",
    "users": "Uid",
    "tracer": "TracerPid",
}
"""Lines of ``/proc/PID/status`` by the names that they have here."""
SMALL_FILES: Final = {
    "limits": "limits",
    "oom score": "oom_score_adj",
    "core dump filter": "coredump_filter",
    "personality": "personality",
}
MEMORY: Final = "memory"
REST_SECS: Final = 2.0
"""How long to wait for that at most: a thread may also run for good."""
OURS: Final = ("said", "go")
"""The FIFOs of the harness, of which the program has one open while it is looked at."""


def seen_from_outside(pid: int) -> dict[str, Any]:
    """Facts by name, as values of JSON."""
    threads = _resting_threads(pid)
    status = procfs.status(pid)
    return {
        "descriptors": _descriptors(pid),
        "threads": sorted(procfs.thread_name(pid, tid) for tid in threads),
        "mappings": _mappings(pid),
        "children": _children(pid, threads),
        "priority": _stat_field(pid, 18),
        MEMORY: int(status["RssAnon"].split()[0]) + int(status["RssShmem"].split()[0]),
        **{name: status.get(field, "") for name, field in STATUS_FIELDS.items()},
        **{name: Path(f"/proc/{pid}/{file}").read_text() for name, file in SMALL_FILES.items()},
    }


def _descriptors(pid: int) -> dict[str, str]:
    """Each number that stays open, with its kind.

    An import opens files for a moment, so looks are repeated until two of them agree.
    """
    until = time.monotonic() + REST_SECS
    kept = _open_now(pid)
    while time.monotonic() < until:
        _resting_threads(pid)
        before, kept = kept, _open_now(pid)
        if kept == before:
            break
    return kept


def _open_now(pid: int) -> dict[str, str]:
    """Kind of each open number: the file, or its kind without the kernel's number."""
    kinds = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            kinds[entry.name] = re.sub(r"\[\d+\]$", "", os.readlink(entry))  # noqa: PTH115 - no path
        except OSError:
            continue
    return {number: kind for number, kind in kinds.items() if Path(kind).name not in OURS}


def _mappings(pid: int) -> dict[str, int]:
    """Number of mappings of each file, and of each kind of memory without a file."""
    return dict(Counter(_kind(each) for each in procfs.mappings(pid) or ()))


def _kind(mapping: procfs.MappedRange) -> str:
    if mapping.path and not mapping.path.startswith("[anon"):
        return mapping.path
    return "memory that is executable" if "x" in mapping.flags else "memory"


def _resting_threads(pid: int) -> list[int]:
    """Its threads, once none is about to end."""
    until = time.monotonic() + REST_SECS
    before: list[int] = []
    while time.monotonic() < until:
        threads = procfs.tasks(pid)
        if threads == before and all(procfs.thread_state(pid, tid) == "S" for tid in threads):
            break
        before = threads
        time.sleep(0.002)
    return before


def _children(pid: int, threads: list[int]) -> int:
    read = (procfs.read_bytes(f"/proc/{pid}/task/{tid}/children") or b"" for tid in threads)
    return sum(len(each.split()) for each in read)


def _stat_field(pid: int, number: int) -> str:
    """A field of ``/proc/PID/stat`` after the name, counted as in proc(5) from 1."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[number - 3]
