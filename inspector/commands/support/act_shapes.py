"""Shapes of the JSON of commands that act, and of answers without a snapshot. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CloseAnswerShape:
    """The outcome for one handle."""

    id: str
    outcome: str
    reason: str | None
    holders: tuple[str, ...]
    close_first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClosesShape:
    """Answer of ``close``."""

    answers: tuple[CloseAnswerShape, ...]
    left_out_unknown: int


@dataclass(frozen=True, slots=True)
class ActShape:
    """An act of a viewer on a process."""

    at: float
    op: str
    pid: int
    uid: int
    handles: tuple[str, ...]
    handle_count: int
    outcome: str
    result: Any
    wish: Any


@dataclass(frozen=True, slots=True)
class AuditShape:
    """Answer of ``audit``."""

    acts: tuple[ActShape, ...]
    dropped: int
    trouble: str | None


@dataclass(frozen=True, slots=True)
class DetachShape:
    """Answer of ``detach``."""

    pid: int
    detached: bool
    reason: str | None
    failures: tuple[str, ...]
    remains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CleanShape:
    """Answer of ``clean``."""

    removed: int
    removed_bytes: int
    kept: int
    kept_bytes: int
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueryShape:
    """Answer of ``query``."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    has_more: bool
