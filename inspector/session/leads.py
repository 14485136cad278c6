"""Classes of Rust libraries that a process has and nobody follows, from what its agent counted and what the libraries' files say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

MARKERS: Final = (b"PanicException", b"pyo3_runtime")
"""Texts that PyO3 leaves in each library."""
MOST_BYTES: Final = 512 << 20
"""Larger files are not read."""
PIECE_BYTES: Final = 1 << 20


def lead(pid: int, libraries: Mapping[str, int]) -> str:
    """``9 classes of 1 Rust library are not followed (rpds)``; ``""`` when there is none. Reads files; any thread."""
    rust = {path: count for path, count in libraries.items() if _is_pyo3(Path(f"/proc/{pid}/root{path}"))}
    if not rust:
        return ""
    count = sum(rust.values())
    names = ", ".join(dict.fromkeys(_name(path) for path in rust))
    classes = "1 class" if count == 1 else f"{count:,} classes"
    of = "1 Rust library is" if count == 1 else "1 Rust library are"
    return f"{classes} of {of if len(rust) == 1 else f'{len(rust):,} Rust libraries are'} not followed ({names}): declare those that matter"


def _name(path: str) -> str:
    """``rpds`` of ``…/rpds/rpds.cpython-311-x86_64-linux-gnu.so``."""
    return Path(path).name.partition(".")[0]


def _is_pyo3(path: Path) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return False
        wanted, rest = set(MARKERS), b""
        with path.open("rb") as opened:
            while wanted and (piece := opened.read(PIECE_BYTES)):
                text = rest + piece
                wanted = {marker for marker in wanted if marker not in text}
                rest = piece[-64:]
    except OSError:
        return False
    return not wanted
