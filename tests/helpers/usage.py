"""The resources that a process uses, read in ``/proc``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """Resources of one process at one moment."""

    cpu_secs: float
    """User and system time since its start."""
    memory_bytes: int
    """Resident memory of its own: without pages of files."""
    descriptors: int
    threads: int


def usage_of(pid: int) -> Usage:
    """The resources of process ``pid``, which lives."""
    folder = Path("/proc", str(pid))
    stat = folder.joinpath("stat").read_text().rsplit(")", 1)[1].split()
    lines = folder.joinpath("status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    return Usage(
        cpu_secs=(int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
        memory_bytes=int(status["RssAnon"].split()[0]) * 1024,
        descriptors=len(list(folder.joinpath("fd").iterdir())),
        threads=int(status["Threads"]),
    )
