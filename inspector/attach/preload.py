"""The library that is loaded into a program of another language than Python, and its settings."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import inspector
from inspector.errors import AttachError
from inspector.vocabulary import Level

LIBRARY: Final = Path(inspector.__file__).resolve().parent / "_preload.abi3.so"
MACHINES: Final = ("x86_64",)
"""Processors for which there are stand-ins for functions."""
_SEPARATORS: Final = (" ", ":")


def preload_environment(
    ours: Mapping[str, str], level: Level, library: Path = LIBRARY
) -> dict[str, str]:
    """Variables that have the loader bring the library into a program and its children.

    ``ours`` is the environment that they are added to. Raises ``AttachError`` when this machine or
    installation cannot do it.
    """
    if platform.machine() not in MACHINES:
        raise AttachError(
            f"only Python programs can be run: there are no stand-ins for {platform.machine()}"
        )
    if not library.is_file():
        raise AttachError(f"only Python programs can be run: there is no {library}")
    if any(separator in str(library) for separator in _SEPARATORS):
        raise AttachError(
            "only Python programs can be run: the loader takes no path with a space or colon: "
            f"{library}"
        )
    others = ours.get("LD_PRELOAD", "")
    return {
        "LD_PRELOAD": f"{library}:{others}" if others else str(library),
        "ARC_INSPECTOR": "1",
        "ARC_INSPECTOR_LEVEL": level.name.lower(),
    }
