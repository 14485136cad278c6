"""What can be told of a process in which nothing may be loaded: its threads and what they wait on, and the native packages in it.

A fallback. Reads ``/proc`` and files only, stops nothing. Counts and handles cannot be told this way, and are not guessed. Any thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.attach import procfs
from inspector.attach.elf import ElfError, ElfFile
from inspector.attach.waits import waits_on

MOST_THREADS: Final = 64
MOST_FILES: Final = 400
_UNIFFI: Final = re.compile(rb"ffi_(\w+?)_uniffi_contract_version")


@dataclass(frozen=True, slots=True)
class ThreadGlimpse:
    """One thread, at one moment."""

    tid: int
    name: str
    waits: str
    """``waits in select``, ``runs``."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What could be read; nothing is not the same as none."""

    threads: tuple[ThreadGlimpse, ...]
    more_threads: int
    """Left out."""
    packages: tuple[str, ...]
    """Components over UniFFI that are loaded."""


def glimpse(pid: int) -> Glimpse:
    """Look at a process from outside."""
    tids = procfs.tasks(pid)
    shown = tuple(ThreadGlimpse(tid, procfs.thread_name(pid, tid), waits_on(pid, tid)) for tid in tids[:MOST_THREADS])
    return Glimpse(shown, max(len(tids) - MOST_THREADS, 0), tuple(sorted(set(_components(pid)))))


def _components(pid: int) -> Iterator[str]:
    """UniFFI components, by the one symbol that each of them exports."""
    paths = dict.fromkeys(each.path for each in procfs.mappings(pid) or () if each.is_code and each.path.startswith("/"))
    for path in list(paths)[:MOST_FILES]:
        if ".so" not in Path(path).name:
            continue
        try:
            with ElfFile(f"/proc/{pid}/root{path}") as file:
                yield from (found.decode() for found in file.exported(_UNIFFI))
        except ElfError:
            continue
