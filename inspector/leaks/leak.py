"""A leak as it is reported: so many handles of one type that were made at one place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePath
from typing import Any

from inspector.source_places import INSTALLED, is_standard


@dataclass(frozen=True, slots=True)
class Leak:
    """Handles that are alive and should not be."""

    type: str
    count: int
    stack: tuple[str, ...]
    """``tests/test_a.py:41 in add``, innermost frame first; empty when it was not recorded."""
    is_open: bool = False
    """Its resource was not closed."""
    owner: str = ""
    """The test or fixture that made them; ``""`` for a program."""
    reason: str = ""
    """Why it is allowed; ``""``: it is not."""
    counts: str = ""
    """``1 proxy, 0 native references``; ``""``: not known."""
    native: tuple[str, ...] = ()
    """Native references that have a name: ``1 reference by TodoList.items``."""
    path: tuple[str, ...] = ()
    """The reason why a handle of the leak lives, from a root to the handle."""
    note: str = ""
    """Why there is no path; ``""``: there is one, or it was not searched for."""
    cycle: tuple[str, ...] = ()
    """A cycle across the boundary through a handle of the leak, from edge to edge."""
    cut: str = ""
    """The edge of the cycle that a person can change."""
    runs: int = 0
    """It grew in each of so many runs of the test; 0: the test ran once."""

    repeat_trouble: str = ""
    """Why the test could not be run as often as was asked; ``""``: it could."""

    @property
    def key(self) -> tuple[str, bool, tuple[str, ...], str]:
        """Tells it from the other leaks of a judgement, and names it in each run of a test."""
        return self.type, self.is_open, self.stack, self.owner

    @property
    def site(self) -> str:
        """The innermost frame; ``""``: not recorded."""
        return self.stack[0] if self.stack else ""

    def value(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "owner": self.owner or None,
            "type": self.type,
            "count": self.count,
            "stack": list(self.stack),
            "is_open": self.is_open,
            "reason": self.reason or None,
            "counts": self.counts or None,
            "native": list(self.native),
            "path": list(self.path),
            "note": self.note or None,
            "cycle": list(self.cycle),
            "cut": self.cut or None,
            "runs": self.runs or None,
            "repeat_trouble": self.repeat_trouble or None,
        }


def leak_of(value: Mapping[str, Any]) -> Leak:
    """The leak in the output of ``value``.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else.
    """
    return Leak(
        type=str(value["type"]),
        count=int(value["count"]),
        stack=tuple(str(frame) for frame in value["stack"]),
        is_open=bool(value["is_open"]),
        owner=str(value["owner"] or ""),
        reason=str(value["reason"] or ""),
        counts=str(value.get("counts") or ""),
        native=tuple(str(line) for line in value.get("native", ())),
        path=tuple(str(step) for step in value.get("path", ())),
        note=str(value.get("note") or ""),
        cycle=tuple(str(step) for step in value.get("cycle", ())),
        cut=str(value.get("cut") or ""),
        runs=int(value.get("runs") or 0),
        repeat_trouble=str(value.get("repeat_trouble") or ""),
    )


def leaks_text(leaks: Iterable[Leak]) -> str:
    """For people: each leak with the stack that made it, its counts and its holder."""
    lines = []
    for leak in leaks:
        closed = ", never closed" if leak.is_open else ""
        runs = f", in each of {leak.runs} runs" if leak.runs else ""
        lines.append(f"  {leak.count:,} × {leak.type}{closed}{runs}")
        lines += [f"      {frame}" for frame in folded(leak.stack)] or [
            ("      made at a place that was not recorded")
        ]
        lines += [f"      {line}" for line in holder_lines(leak)]
    return "\n".join(lines)


def holder_lines(leak: Leak) -> list[str]:
    """Counts, path and cycle; of several handles the first handle has them."""
    first = "one of them: " if leak.count > 1 else ""
    lines = [f"{first}{leak.counts}"] if leak.counts else []
    lines += [f"native: {line}" for line in leak.native]
    if leak.path:
        lines += [f"held by {leak.path[0]}", *(f"  → {step}" for step in leak.path[1:])]
    elif leak.note:
        lines.append(f"holder: {leak.note}")
    if leak.cycle:
        lines += ["in a cycle across the boundary:", *(f"  {edge}" for edge in leak.cycle)]
    if leak.cut:
        lines.append(f"cut it at: {leak.cut}")
    if leak.repeat_trouble:
        lines.append(f"the test could not be run again: {leak.repeat_trouble}")
    return lines


def folded(stack: Sequence[str]) -> list[str]:
    """The frames, runs of two or more frames of libraries each as one line."""
    lines: list[str] = []
    for package, group in groupby(stack, _library):
        frames = list(group)
        lines += (
            [f"… {len(frames):,} frames of {package}"] if package and len(frames) > 1 else frames
        )
    return lines


def _library(frame: str) -> str:
    """The library that a frame is of; ``""``: of none."""
    place = frame.partition(" in ")[0]
    for part in INSTALLED:
        _, found, below = f"/{place}".rpartition(part)
        if found:
            return below.partition("/")[0].partition(".py")[0]
    return "the standard library" if is_standard(f"/{place}") or is_standard(place) else ""


def handles_text(count: int) -> str:
    """``1 handle``, ``2 handles``."""
    return f"{count:,} {'handle' if count == 1 else 'handles'}"


def frame_text(file: str, line: int, function: str, folder: str) -> str:
    """A frame, its file relative to ``folder`` where it lies below that."""
    path = PurePath(file)
    shown = path.relative_to(folder) if path.is_relative_to(folder) else path
    return f"{shown}{f':{line}' if line else ''} in {function}"
