"""A leak as it is reported: so many handles of one type that were made at one place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any


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
    )


def leaks_text(leaks: Iterable[Leak]) -> str:
    """For people: each leak with the stack that made it."""
    lines = []
    for leak in leaks:
        lines.append(f"  {leak.count:,} × {leak.type}{', never closed' if leak.is_open else ''}")
        lines += [f"      {frame}" for frame in leak.stack] or [
            ("      made at a place that was not recorded")
        ]
    return "\n".join(lines)


def handles_text(count: int) -> str:
    """``1 handle``, ``2 handles``."""
    return f"{count:,} {'handle' if count == 1 else 'handles'}"


def frame_text(file: str, line: int, function: str, folder: str) -> str:
    """A frame, its file relative to ``folder`` where it lies below that."""
    path = PurePath(file)
    shown = path.relative_to(folder) if path.is_relative_to(folder) else path
    return f"{shown}{f':{line}' if line else ''} in {function}"
