"""Shapes of the JSON that commands print: a dataclass for each object.

``docs/schema.json`` derives from their annotations. Times are seconds since the Unix epoch; unknown
values are ``None``. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class HandleRow(dict[str, Any]):
    """A handle: the columns of ``HANDLE_COLUMNS`` that have a JSON value."""


class PendingRow(HandleRow):
    """A handle whose close is pending: its columns, and the fields of ``CloseShape``."""


@dataclass(frozen=True, slots=True)
class TargetShape:
    """The process."""

    pid: int
    name: str
    command: str | None
    runtime: str | None
    state: str
    reason: str | None
    level: str
    from_outside: bool
    viewers: int
    started_at: float | None


@dataclass(frozen=True, slots=True)
class AboutShape:
    """The facts on a snapshot that every answer has."""

    target: TargetShape
    taken_at: float | None
    lost: Mapping[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrameShape:
    """One line of a stack."""

    function: str | None
    file: str | None
    line: int | None
    library: str | None
    """The library that holds native code."""
    no_line: str | None
    """The reason why native code has no line, if its library should tell one."""


@dataclass(frozen=True, slots=True)
class StackShape:
    """A stack, innermost frame first."""

    frames: tuple[FrameShape, ...]
    is_cut: bool
    """There are more frames than were recorded."""


@dataclass(frozen=True, slots=True)
class HandlesShape(AboutShape):
    """Answer of ``handles`` and ``open``."""

    handles: tuple[HandleRow, ...]
    stacks: Mapping[str, StackShape]
    """By the number in ``stack`` of the rows."""


@dataclass(frozen=True, slots=True)
class CloseShape:
    """A close that was asked for and has not run."""

    reason: str
    requester_thread: str | None
    request_site: str | None
    request_stack: tuple[FrameShape, ...] | None
    waits_for: str | None
    pending_since: float | None
    deadline: float | None
    deadline_known: bool


@dataclass(frozen=True, slots=True)
class PendingShape(AboutShape):
    """Answer of ``pending``."""

    handles: tuple[PendingRow, ...]
    stacks: Mapping[str, StackShape]


@dataclass(frozen=True, slots=True)
class FindingShape:
    """A verdict of a rule."""

    key: str
    rule: str
    title: str
    verdict: str
    headline: str
    subject: str | None
    evidence: tuple[str, ...]
    filter: str | None
    handles: tuple[str, ...]
    muted: str | None


@dataclass(frozen=True, slots=True)
class FindingsShape(AboutShape):
    """Answer of ``findings``."""

    observed_secs: float | None
    suspects: int
    undecided: tuple[str, ...]
    findings: tuple[FindingShape, ...]


@dataclass(frozen=True, slots=True)
class CallShape:
    """A call that uses a handle now."""

    handle: str
    type: str | None
    began_at: float | None


@dataclass(frozen=True, slots=True)
class ThreadShape:
    """A thread that touched a handle."""

    tid: int
    name: str | None
    alive: bool
    started_at: float | None
    ended_at: float | None
    created: int | None
    released: int | None
    living: int
    owned: int
    waiting: int
    stuck: bool
    calls: tuple[CallShape, ...]
    deeper_calls: int


@dataclass(frozen=True, slots=True)
class ThreadsShape(AboutShape):
    """Answer of ``threads``."""

    threads: tuple[ThreadShape, ...]


@dataclass(frozen=True, slots=True)
class ThreadStackShape:
    """A thread and its stack of Python, innermost frame first."""

    tid: int
    name: str | None
    doing: str
    holds_gil: bool
    frames: tuple[FrameShape, ...]


@dataclass(frozen=True, slots=True)
class StacksShape(AboutShape):
    """Answer of ``stacks``."""

    threads: tuple[ThreadStackShape, ...]
    more_threads: int
    """Threads that are not listed."""


@dataclass(frozen=True, slots=True)
class EventShape:
    """An event, or a gap between events."""

    at: float | None
    event: str
    handle: str | None
    type: str | None
    thread: str | None
    site: str | None
    strong: int | None
    """Strong count afterwards."""
    lost: int | None
    """Events that a gap stands for; ``None``: no gap."""


@dataclass(frozen=True, slots=True)
class EventsShape(AboutShape):
    """Answer of ``events``, oldest first."""

    events: tuple[EventShape, ...]
    found: int
    known: int
    lost_events: int


@dataclass(frozen=True, slots=True)
class EquationShape:
    """The parts of a strong count at rest."""

    strong: int | None
    weak: int | None
    proxies: int | None
    in_flight: int | None
    named: int | None
    native: int | None
    unexplained: int | None
    missing: int | None


@dataclass(frozen=True, slots=True)
class NamedHolderShape:
    """Native references of one name."""

    name: str
    count: int
    is_exact: bool
    handle: str | None


@dataclass(frozen=True, slots=True)
class StepShape:
    """A step of a path from a root down to a proxy."""

    kind: str
    text: str
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class PathShape:
    """Why one holder of a proxy lives."""

    is_rooted: bool
    steps: tuple[StepShape, ...]


@dataclass(frozen=True, slots=True)
class UnseenShape:
    """A holder that the collector does not know, found in memory."""

    text: str
    words: int
    steps: int
    """Allocations of native code between it and the object."""
    held: str | None
    """The object that it holds; ``None``: the proxy."""
    is_certain: bool


@dataclass(frozen=True, slots=True)
class HoldersShape(AboutShape):
    """Answer of ``holders``; ``None``: the target could not be asked."""

    handle: HandleRow
    equation: EquationShape
    native: tuple[NamedHolderShape, ...] | None
    unread: int | None
    paths: tuple[PathShape, ...] | None
    unseen: tuple[UnseenShape, ...] | None
    holders: int | None
    is_cut: bool | None
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A node of a cycle and its edge to the next node."""

    side: str
    text: str
    edge: str
    handle: str | None
    file: str | None
    line: int | None
    is_exact: bool


@dataclass(frozen=True, slots=True)
class CycleShape:
    """A cycle across the boundary."""

    nodes: tuple[NodeShape, ...]
    cut: str | None
    is_exact: bool


@dataclass(frozen=True, slots=True)
class CyclesShape(AboutShape):
    """Answer of ``cycles``; of a file, all of it but ``troubles`` is null."""

    cycles: tuple[CycleShape, ...] | None
    count: int | None
    looked_at: int | None
    is_cut: bool | None
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StateShape:
    """A state that is compared."""

    name: str
    program: str
    pid: int
    at: float | None
    live: int


@dataclass(frozen=True, slots=True)
class ChangeShape:
    """Handles of a type, or of a type and a site, before and after."""

    type: str | None
    site: str | None
    before: int | None
    after: int | None
    born: int | None
    dead: int | None
    survived: int | None
    changed: int | None
    passed: int | None
    net: int


@dataclass(frozen=True, slots=True)
class SiteChangeShape(ChangeShape):
    """The same, with some of the handles that were born."""

    born_handles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiffShape:
    """Answer of ``diff``."""

    before: StateShape
    after: StateShape
    same_process: bool
    total: ChangeShape
    types: tuple[ChangeShape, ...]
    sites: tuple[SiteChangeShape, ...]


@dataclass(frozen=True, slots=True)
class ProcessShape:
    """A process of ``ps``."""

    pid: int
    name: str
    command: str | None
    runtime: str | None
    user: str | None
    alive: bool
    attachable: bool
    readable: bool
    reason: str | None
    fix: str | None
    live_handles: int | None
    started_at: float | None
    segment: str | None


@dataclass(frozen=True, slots=True)
class ProcessesShape:
    """Answer of ``ps``."""

    processes: tuple[ProcessShape, ...]
