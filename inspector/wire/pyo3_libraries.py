"""Recognises the libraries that PyO3 and other makers of bindings made, by the texts in each.

Reads files; any thread. A file that was read is remembered by its identity.
"""

from __future__ import annotations

import re
import stat
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

MARKERS: Final = (b"PanicException", b"pyo3_runtime")
MOST_BYTES: Final = 512 << 20
"""Larger files are not read."""
PIECE_BYTES: Final = 1 << 20
OVERLAP_BYTES: Final = 64
"""Longer than any text that is looked for: a text may lie across two pieces."""
_VERSION: Final = re.compile(rb"pyo3-(\d{1,4}\.\d{1,4}\.\d{1,4})[/\\]src")


BINDINGS: Final = (
    ("pybind11", b"pybind11"),
    ("nanobind", b"nanobind"),
    ("Cython", b"cython_runtime"),
)
"""Other makers of bindings, and a text that each leaves in its libraries."""
WRITTEN_IN_C: Final = "C"


class Pyo3Library(NamedTuple):
    """A library of PyO3."""

    name: str
    """``rpds`` of ``…/rpds/rpds.cpython-311-x86_64-linux-gnu.so``."""
    version: str
    """Of PyO3, as the library's texts tell: ``0.29.3``; ``""``: they do not."""


def pyo3_library(path: Path, name: str = "") -> Pyo3Library | None:
    """The library in a file; ``None``: it is not PyO3's, or cannot be read.

    ``name``: the file's path as the process sees it, where ``path`` is another.
    """
    try:
        seen = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(seen.st_mode) or seen.st_size > MOST_BYTES:
        return None
    version = _version(path, (seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size))
    return None if version is None else Pyo3Library(library_name(name or str(path)), version)


def binding_of(path: Path, name: str = "") -> str:
    """The maker of a library's classes: ``PyO3 0.29.3``, ``Cython``, ``C``.

    ``""``: the file cannot be read. ``name`` as for ``pyo3_library``.
    """
    library = pyo3_library(path, name)
    if library is not None:
        return f"PyO3 {library.version}".strip()
    try:
        seen = path.stat()
    except OSError:
        return ""
    if not stat.S_ISREG(seen.st_mode) or seen.st_size > MOST_BYTES:
        return ""
    return _binding(path, (seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size))


@lru_cache(maxsize=256)
def _binding(path: Path, _identity: tuple[int, int, int, int]) -> str:
    rest = b""
    found: set[str] = set()
    try:
        with path.open("rb") as opened:
            while piece := opened.read(PIECE_BYTES):
                text = rest + piece
                found.update(name for name, marker in BINDINGS if marker in text)
                rest = piece[-OVERLAP_BYTES:]
    except OSError:
        return ""
    return next((name for name, _ in BINDINGS if name in found), WRITTEN_IN_C)


def library_name(path: str) -> str:
    """The module that a library's file is named after."""
    return Path(path.removesuffix(" (deleted)")).name.partition(".")[0]


@lru_cache(maxsize=256)
def _version(path: Path, _identity: tuple[int, int, int, int]) -> str | None:
    """Version of PyO3, ``""`` when no text tells it; ``None``: a marker is missing."""
    wanted, version, rest = set(MARKERS), "", b""
    try:
        with path.open("rb") as opened:
            while (wanted or not version) and (piece := opened.read(PIECE_BYTES)):
                text = rest + piece
                wanted = {marker for marker in wanted if marker not in text}
                if not version and (found := _VERSION.search(text)):
                    version = found[1].decode("ascii")
                rest = piece[-OVERLAP_BYTES:]
    except OSError:
        return None
    return None if wanted else version
