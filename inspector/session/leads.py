"""Classes of a process's Rust libraries that are not followed.

They come from its agent's counts and the libraries' files.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from inspector.attach.procfs import inside
from inspector.model.findings.leads import Coverage, Lead
from inspector.session.adapter_answers import AdapterReport, LibraryClasses

MARKERS: Final = (b"PanicException", b"pyo3_runtime")
"""Texts that PyO3 leaves in each library."""
MOST_BYTES: Final = 512 << 20
"""Larger files are not read."""
PIECE_BYTES: Final = 1 << 20


def coverage_of(pid: int, report: AdapterReport) -> Coverage:
    """The parts of a process without rows, from its agent's report. Reads files; any thread."""
    unseen = tuple(each.cls for each in report.declared if each.is_unseen)
    return Coverage(
        None if report.libraries is None else lead(pid, report.libraries),
        unseen,
        report.failed,
        report.awaited,
    )


def lead(pid: int, libraries: Mapping[str, LibraryClasses]) -> Lead:
    """The classes among ``libraries`` that Rust made. Reads files; any thread."""
    rust = {path: each for path, each in libraries.items() if is_pyo3(inside(pid, path))}
    if not rust:
        return Lead()
    most = max(rust.values(), key=lambda each: (each.live, bool(each.example)))
    names = tuple(dict.fromkeys(_name(path) for path in rust))
    return Lead(sum(each.count for each in rust.values()), names, most.example, most.live)


def is_pyo3(path: Path) -> bool:
    """Whether a file is a library of PyO3. A file that was read is remembered."""
    try:
        seen = path.stat()
    except OSError:
        return False
    return (
        stat.S_ISREG(seen.st_mode)
        and seen.st_size <= MOST_BYTES
        and _has_markers(path, (seen.st_dev, seen.st_ino, seen.st_mtime_ns))
    )


def _name(path: str) -> str:
    """``rpds`` of ``…/rpds/rpds.cpython-311-x86_64-linux-gnu.so``."""
    return Path(path).name.partition(".")[0]


@lru_cache(maxsize=256)
def _has_markers(path: Path, _identity: tuple[int, int, int]) -> bool:
    wanted, rest = set(MARKERS), b""
    try:
        with path.open("rb") as opened:
            while wanted and (piece := opened.read(PIECE_BYTES)):
                text = rest + piece
                wanted = {marker for marker in wanted if marker not in text}
                rest = piece[-64:]
    except OSError:
        return False
    return not wanted
