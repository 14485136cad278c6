"""The place of a process among others: its folder, its parent, and its native packages.

Reads ``/proc`` only; any thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from inspector.attach import procfs
from inspector.plain_text import printable
from inspector.source_places import INSTALLED

OWN: Final = frozenset({"inspector", "_cffi_backend"})


@dataclass(frozen=True, slots=True)
class ProcessPlace:
    """Facts that help a person to tell processes of one name apart."""

    folder: str = ""
    """Working directory; ``""``: it may not be read."""
    parent_pid: int = 0
    """0: not known."""
    packages: tuple[str, ...] = ()
    """Installed packages with native code in the process, by name."""


def place_of(pid: int) -> ProcessPlace:
    """The place of a process; unknown parts are empty."""
    files = {each.path for each in procfs.mappings(pid) or () if each.is_code}
    return ProcessPlace(
        printable(procfs.working_folder(pid)), procfs.parent(pid), packages_in(files)
    )


def packages_in(files: Iterable[str]) -> tuple[str, ...]:
    """The installed packages that native files belong to."""
    found = set()
    for file in files:
        for folder in INSTALLED:
            _, is_installed, rest = file.rpartition(folder)
            if is_installed:
                found.add(rest.partition("/")[0].partition(".")[0])
    return tuple(sorted(found - OWN))


def family(pid: int, parents: dict[int, int]) -> set[int]:
    """``pid`` and its relatives among the processes of ``parents``: ancestors and descendants.

    ``parents``: the parent of each process. A parent that is not among them ends the way up.
    """
    top = pid
    for _ in range(len(parents)):
        if parents.get(top, 0) not in parents:
            break
        top = parents[top]
    found = {top}
    for _ in range(len(parents)):
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            break
        found |= more
    return found
