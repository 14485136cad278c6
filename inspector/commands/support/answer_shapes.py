"""Shapes of the JSON of commands that prepare a process or judge a program. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from inspector.commands.support.shapes import FrameShape


@dataclass(frozen=True, slots=True)
class AttachShape:
    """Answer of ``attach --headless``."""

    pid: int
    segment: str
    way: str
    brought: bool
    paused_secs: float
    interrupted_waits: int
    leaves_after_secs: float | None


@dataclass(frozen=True, slots=True)
class CauseShape:
    """A fact about a process that hinders attaching, or is worth knowing."""

    key: str
    weight: str
    text: str
    fixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeenThreadShape:
    """A thread as it is seen from outside."""

    tid: int
    name: str | None
    waits: str
    holds_gil: bool
    stack: tuple[FrameShape, ...]


@dataclass(frozen=True, slots=True)
class FallbackShape:
    """The view from outside of a process that cannot be attached."""

    readable: bool
    threads: tuple[SeenThreadShape, ...]
    more_threads: int
    packages: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DoctorShape:
    """Answer of ``doctor PID``."""

    pid: int
    name: str | None
    user: str | None
    runtime: str | None
    attachable: bool
    way: str | None
    fallback: FallbackShape | None
    causes: tuple[CauseShape, ...]


@dataclass(frozen=True, slots=True)
class CheckedShape:
    """A check of this machine."""

    key: str
    well: bool
    text: str
    fixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MachineShape:
    """Answer of ``doctor`` without a process."""

    attachable: bool
    checks: tuple[CheckedShape, ...]


DeclaredShape = TypedDict(
    "DeclaredShape",
    {
        "class": str,
        "source": str,
        "followed": bool,
        "followed_by": str | None,
        "closes": str | None,
        "rows": int,
        "waits_for": str | None,
        "trouble": str | None,
    },
)
DeclaredShape.__doc__ = "A declaration in a process"


ConstantShape = TypedDict("ConstantShape", {"class": str, "count": int})
ConstantShape.__doc__ = "A class that has constants of its own alone"


@dataclass(frozen=True, slots=True)
class AdaptersShape:
    """Answer of ``adapters PID``."""

    adapters: tuple[str, ...]
    declared: tuple[DeclaredShape, ...]
    troubles: tuple[str, ...]
    constants: tuple[ConstantShape, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeclarationsShape:
    """Answer of ``adapters`` without a process; ``declared`` has the keys of the file."""

    file: str
    declared: tuple[Mapping[str, Any], ...]
    agreed: bool
    troubles: tuple[str, ...]
    shipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeakShape:
    """Handles of a type from one place that outlived their program or test."""

    owner: str | None
    type: str
    count: int
    stack: tuple[str, ...]
    is_open: bool
    reason: str | None
    counts: str | None
    native: tuple[str, ...]
    path: tuple[str, ...]
    note: str | None
    cycle: tuple[str, ...]
    cut: str | None
    runs: int | None
    repeat_trouble: str | None


@dataclass(frozen=True, slots=True)
class CheckShape:
    """The report that ``check --json FILE`` writes."""

    verdict: str
    unknown_because: str | None
    status: int
    trouble: str | None
    leaks: tuple[LeakShape, ...]
    allowed: tuple[LeakShape, ...]
    not_judged: tuple[str, ...]
    followed: int
    refused: tuple[str, ...]
    unfollowed: tuple[str, ...]
