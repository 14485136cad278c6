"""The Protocol of a session for the window and the commands, the same for every kind.

Live, post-mortem, recorded and fake sessions look alike. ``ui`` imports this and ``model``, no
more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from inspector.model.events import EventBatch, EventCursor
from inspector.model.findings.leads import Coverage
from inspector.model.holders import CycleReport, NativeHolders, Retainers
from inspector.model.snapshot import Floats, Snapshot, Vitals
from inspector.model.stack_reading import StackReading
from inspector.model.window_state import WindowState
from inspector.session.searching import Search
from inspector.vocabulary import Level


@dataclass(frozen=True, slots=True)
class GcReport:
    """The effect of a forced collection."""

    collected: int | None
    """``None``: the runtime does not say."""
    handles_released: int
    closes_queued: int
    still_pending: int
    took_secs: float
    uncollectable: int = 0


CANCELLING: Final = (
    "it runs already: its event loop was asked to cancel it, and whether it is closed then is not "
    "known"
)
"""The reason of a close that is taken back while it runs."""


@dataclass(frozen=True, slots=True)
class CloseAnswer:
    """The outcome, real or previewed, for one handle of a close request."""

    handle: int
    outcome: str
    """``would_close``, ``would_wait``, ``closed``, ``pending``, ``refused`` or ``failed``."""
    reason: str
    """A sentence without a full stop: ``2 calls in flight``, ``TodoItem did not opt in to
    closing``."""
    holders: tuple[str, ...] = ()
    """Other holders of the object, for the person to read."""
    first: tuple[int, ...] = ()
    """Handles of objects that need this one and have to be closed before; each is one of the
    ``holders``."""


@dataclass(frozen=True, slots=True)
class DrainReport:
    """The result of running the waiting closes."""

    ran: int
    still_pending: int


@dataclass(frozen=True, slots=True)
class AuditedAct:
    """An act of a viewer on the target."""

    at: float
    """Seconds since the Unix epoch, by the target's clock."""
    op: str
    pid: int
    """The viewer's; 0 when it is in no namespace of the target's."""
    uid: int
    handles: tuple[int, ...]
    """The first of them."""
    handle_count: int
    outcome: str
    """``done``, or the status of what was not."""
    result: Any
    """Of a close, an outcome for each of the first handles; of others their figures; of what was
    not done, why."""
    wish: Any = None
    """How it was wanted: of a close ``{"although_held": true, …}``, of a level which; ``None``
    where there is no choice."""


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Acts, oldest first."""

    acts: tuple[AuditedAct, ...]
    dropped: int
    """Older ones that are not kept."""
    trouble: str
    """Why the log's file is not written; ``""`` when it is, or none is asked for."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The requests that this session takes now, each with the reason when not."""

    act: bool
    """Force GC and close."""
    reason: str = ""
    levels: bool = False
    brought: bool = False
    """This viewer brought the agent in, and can have it go again."""


class SessionListener(Protocol):
    """Called on the session's pump thread: be quick, touch no widget."""

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """A new snapshot, also when only the target's state changed."""

    def on_vitals(self, vitals: Vitals) -> None:
        """New counters, up to 60 times a second."""


class Session(Protocol):
    """One attachment from attach to end.

    All methods may be called from any thread and return at once.
    """

    @property
    def latest(self) -> Snapshot | None:
        """Newest snapshot; ``None`` before the first."""

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities of the session now."""

    def subscribe(self, listener: SessionListener) -> Callable[[], None]:
        """Listen to everything from now on; the result ends that."""

    def set_interval(self, *, snapshot_secs: float, vitals_secs: float) -> None:
        """How often snapshots and counters are read. The target's sampler follows."""

    def set_level(self, level: Level) -> Future[Level]:
        """Set the target's recording level; the result is the level in force."""

    def force_gc(self) -> Future[GcReport]:
        """Collect garbage in the target.

        Fails with ``TargetBusyError`` when the interpreter does not answer in time.
        """

    def preview_close(self, handles: Sequence[int]) -> Future[tuple[CloseAnswer, ...]]:
        """The outcome that ``close`` would have. Changes nothing."""

    def close_handles(
        self,
        handles: Sequence[int],
        *,
        although_held: bool = False,
        deadline_secs: float | None = None,
    ) -> Future[tuple[CloseAnswer, ...]]:
        """Close resources.

        Without ``although_held`` a resource with other holders is refused, with their names.

        A request that is pending still after ``deadline_secs`` is withdrawn; closes by adapters run
        at once or not at all.
        """

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        """The events after ``after``; ``None``: all that are still there.

        Events are recorded from level *history* on.

        Fails with ``InspectorError`` where there are none to read. Ask only while a person looks.
        """

    def drain(self) -> Future[DrainReport]:
        """Run the waiting closes without an obstacle."""

    def cancel_close(self, handle: int) -> Future[bool]:
        """Take a pending close back: the resource stays open.

        ``False``: the close ran already on an event loop of the program, which was asked to cancel
        it. Fails with ``ControlError`` and the reason when that cannot be done.
        """

    def native_holders(self, handle: int) -> Future[NativeHolders]:
        """Native references on the handle's object that have a name.

        Answered without the interpreter.
        """

    def retainers(self, handle: int, search: Search) -> Future[Retainers]:
        """The holders of the handle's proxy, up to Python's roots.

        Fails when there is none, or ``search`` was given up.
        """

    def cycles(self, handle: int, search: Search) -> Future[CycleReport]:
        """Cycles across the boundary: through a handle or, with 0, all."""

    def set_type_level(self, type_index: int, level: Level | None) -> Future[None]:
        """Record so much of one type until the last viewer leaves.

        ``None``: as the whole process.
        """

    def audit(self) -> Future[AuditLog]:
        """The acts of viewers on the target."""

    def stacks(self) -> Future[StackReading]:
        """The stacks of all threads now, read from outside: the target runs on.

        Fails when the process cannot be read.
        """

    def remove_agent(self) -> Future[str]:
        """Remove an agent that a viewer brought in, while no other viewer needs it.

        The reason why it stays, ``""``: it left.
        """

    def notices(self) -> Future[tuple[str, ...]]:
        """Notices about followed classes, a line each.

        They tell declarations that are wrong or name nothing.
        """

    def coverage(self) -> Future[Coverage]:
        """The parts of the target without rows.

        They are classes that are not followed, and births that are not seen.

        Fails when the target cannot be asked.
        """

    def follow(self, module: str) -> Future[Coverage]:
        """Follow every class of an extension module, and say what is not followed then.

        Fails when the target cannot be asked.
        """

    def end(self) -> None:
        """Detach. The target returns to its idle level."""


@runtime_checkable
class Pictured(Protocol):
    """A screenshot's addition to a ``Session``: the state of the window that it shows."""

    state: WindowState | None
    """``None``: an older version saved it."""


@runtime_checkable
class Replay(Protocol):
    """A recorded session's addition to a ``Session``: the choice of a moment. Any thread."""

    moments: Floats
    """When the recorded snapshots were taken, ascending, seconds since the Unix epoch; at least
    one."""
    vitals: tuple[Vitals, ...]
    """Counters over the whole time, oldest first, thinned."""
    marks: tuple[tuple[float, str], ...]
    """Time and name of the marks that were set."""

    def seek(self, at: float) -> None:
        """Move to the last recorded moment at or before ``at``, and inform the listeners."""

    def state_at(self, at: float) -> Future[Snapshot]:
        """The snapshot of that moment, without moving there."""
