"""A viewer's knowledge of a target at one instant, frozen.

Everything that the panes show is computed from these values. They are made on the session's pump
thread, never changed afterwards, and may be read from any thread. Arrays are numpy, one element a
row, all of one length, read-only.

Unknown is never 0: integer columns use ``UNKNOWN`` (-1), times use ``nan``, texts use ``""``. Times
are seconds since the Unix epoch (float64). Threads, types and sites are named by index; index 0
means *none*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from inspector.model.facts import WithFacts
from inspector.model.fields import Count, rare
from inspector.model.limits import Limit
from inspector.model.stacks import Site, ThreadStack
from inspector.model.stored import UNKNOWN as UNKNOWN
from inspector.model.stored import Check, stored
from inspector.source_places import packages_of
from inspector.vocabulary import Kind, Level, Reference, kind_named

Ints: TypeAlias = npt.NDArray[np.int64]
Ids: TypeAlias = npt.NDArray[np.uint64]
Floats: TypeAlias = npt.NDArray[np.float64]
Codes: TypeAlias = npt.NDArray[np.uint8]


class TargetState(StrEnum):
    """The target's condition, as far as the viewer knows it."""

    LIVE = "live"
    HUNG = "hung"
    """Alive, but stopped, or its interpreter does not answer: ``Target.reason`` says which."""
    ENDED = "ended"
    """It exited normally or its agent was stopped. The last state is kept."""
    POST_MORTEM = "post-mortem"
    """It is gone without a word: killed or crashed. The last state is kept."""
    RECORDED = "recorded"
    """The snapshot comes from a file (screenshot, session)."""


FINAL_STATES: Final = (TargetState.ENDED, TargetState.POST_MORTEM)
"""The target will not write again."""


@dataclass(frozen=True, slots=True)
class Target:
    """The process looked at."""

    pid: int
    name: str
    """Short, for the chip: ``app.py``."""
    command: str
    """The whole command line."""
    runtime: str
    """``CPython 3.11.7``."""
    executable: str
    start_time: int
    """Field 22 of ``/proc/PID/stat``: with ``pid`` the process's identity."""
    started_at: float
    """When the segment was made."""
    state: TargetState
    reason: str = ""
    """The cause of the state, without a full stop: ``the interpreter has not answered for 12 s``.
    """
    state_since: float = float("nan")
    level: Level = Level.COUNT
    viewers: Count = 0
    from_outside: bool = False
    """Its memory is read, and nothing is loaded into it: the read-only fallback."""
    state_then: str = rare()
    """The state when a recording was saved."""

    @property
    def ran(self) -> bool:
        """It runs, or is recorded at a moment at which it ran."""
        return (self.state_then or self.state) in (TargetState.LIVE, TargetState.HUNG)


class Outer(StrEnum):
    """The kind of pointer of a type's handles, around the object's own ``Arc``."""

    NONE = ""
    """Nothing: handles point at the object. Or not known, in files of older versions."""
    ARC = "arc"
    """An ``Arc``, which counts."""
    BOX = "box"
    """A box of the handle's own, which counts nothing."""


@dataclass(frozen=True, slots=True)
class TypeRow:
    """A type of native object."""

    index: int
    name: str
    origin: str
    """Crate or Python module."""
    kind: str
    """Who counts: ``arc``, ``uniffi``, ``foreign`` … (lower-case names of ``Kind`` in the layout,
    with ``_`` for words)."""
    closes: bool
    """It opted in to closing."""
    close_signature: str
    """``close(flush)``, or ``""``."""
    thread_affine: bool
    size_bytes: Count
    """Of the value; ``UNKNOWN`` when not known."""
    created: Count
    """Handles created since the segment began."""
    released: Count
    closed: Count
    never_closed: Count
    dropped: Count
    outer: Outer = Outer.NONE


@dataclass(frozen=True, slots=True)
class CallInFlight:
    """A call that uses a handle now."""

    handle: int
    began_at: float
    """``nan`` below level *history*."""


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread that touched a handle."""

    index: int
    tid: int
    name: str
    alive: bool
    started_at: float
    ended_at: float
    created: Count
    """Handles created on it since the segment began."""
    released: Count
    calls: tuple[CallInFlight, ...] = ()
    """Outermost first."""
    deeper_calls: Count = 0
    """Calls nested too deep to be named."""

    @property
    def label(self) -> str:
        """``worker-3``, or ``thread 4711`` when it has no name."""
        return self.name or f"thread {self.tid}"

    @property
    def search_name(self) -> str:
        """The text that filters compare: the name, or the number as text."""
        return self.name or str(self.tid)


def sites_named(sites: Mapping[int, Site], types: Mapping[int, TypeRow]) -> Mapping[int, Site]:
    """The sites, each with the packages that define the classes of these types."""
    packages = packages_of(row.origin for row in types.values())
    return MappingProxyType(
        {index: replace(site, packages=packages) for index, site in sites.items()}
    )


@dataclass(frozen=True, slots=True)
class Collection:
    """One garbage collection in the target."""

    serial: Count
    at: float
    took_secs: float
    collected: Count
    generation: int
    forced: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """Counts of losses and refusals, on either side.

    Names as in the layout's ``Lost``, then the viewer's own.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    """Only what is not zero is worth showing. Keys with the prefix ``misuse_`` are refused uses,
    ``sampler_skips`` are passes cut short to keep the cost low: neither are losses."""

    def total(self) -> int:
        """Everything lost. Refused uses are not losses, nor is sampling less often."""
        return sum(
            n
            for name, n in self.counts.items()
            if not name.startswith("misuse_") and name != "sampler_skips"
        )

    def refused(self) -> int:
        """Uses that were refused.

        They are of the number 0, of released handles, of another type's, of closed resources.
        """
        return sum(n for name, n in self.counts.items() if name.startswith("misuse_"))


@dataclass(frozen=True, slots=True)
class CloseDeadline:
    """A pending close that is withdrawn unless it has run by then."""

    handle: int
    """Its handle's id."""
    at: float
    """Seconds since the Unix epoch."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The tool's own cost for the target."""

    cpu_secs: float = float("nan")
    """CPU time of the tool's own threads since the segment began."""
    share: float = float("nan")
    """Of one core, over the last interval: 0.003 is 0.3 %."""
    segment_bytes: Count = UNKNOWN
    """Really allocated."""
    sample_secs: float = float("nan")
    """Duration of the newest pass of the sampler."""


@dataclass(frozen=True, slots=True)
class Handles:
    """The handle table: live rows and tombstones, in slot order.

    The order is stable from one snapshot to the next.

    A row's identity is ``ids``: ``generation << 32 | index << 1 | foreign``; it is never used
    again. A new field is stored in files, and unknown in a look from outside, as its own line says.
    """

    ids: Ids = field(metadata=stored("<u8", Check.ID))
    types: Ints = field(metadata=stored("<i8", Check.INDEX))
    """Index of the type."""
    references: Codes = field(metadata=stored("|u1", Check.REFERENCE))
    """``Reference`` values, without the busy bit."""
    resources: Codes = field(metadata=stored("|u1", Check.RESOURCE))
    """``Resource`` values."""
    addresses: Ids = field(metadata=stored("<u8", Check.BITS))
    """Heap address of the object: rows with one address are handles of one object. 0: none."""
    data: Ids = field(metadata=stored("<u8", Check.BITS))
    """The number behind the handle: data pointer, map key, a proxy's ``_handle``."""
    strong: Ints = field(metadata=stored("<i8", Check.COUNT))
    """Resting count, without the tool's own references. Of a trait: every reference that keeps the
    object, which is ``inner_strong`` and what the outer ``Arc`` of each of the object's handles
    counts beyond one."""
    weak: Ints = field(metadata=stored("<i8", Check.COUNT))
    inner_strong: Ints = field(metadata=stored("<i8", Check.COUNT, since=2))
    """Of a trait: what the object's own ``Arc`` counts. ``UNKNOWN`` for all others."""
    outer_strong: Ints = field(metadata=stored("<i8", Check.COUNT, since=2))
    """Of a trait: what the outer ``Arc`` counts that the handle points into; one of them is the
    handle's own. ``UNKNOWN`` where that is a box, and for all others."""
    in_flight: Ints = field(metadata=stored("<i8", Check.COUNT))
    """Calls that use the object now."""
    proxies: Ints = field(metadata=stored("<i8", Check.COUNT))
    """Live rows with the same address: the host language's wrappers of the object."""
    native_refs: Ints = field(metadata=stored("<i8", Check.COUNT))
    """``strong - proxies`` at rest: references that native code holds. Negative: a double free to
    come."""
    created_at: Floats = field(metadata=stored("<f8", Check.TIME))
    changed_at: Floats = field(metadata=stored("<f8", Check.TIME))
    """Since when the states are what they are."""
    created_threads: Ints = field(metadata=stored("<i8", Check.INDEX))
    last_threads: Ints = field(metadata=stored("<i8", Check.INDEX))
    owner_threads: Ints = field(metadata=stored("<i8", Check.INDEX))
    """0: any thread may close."""
    requester_threads: Ints = field(metadata=stored("<i8", Check.INDEX))
    """The thread that asked for the close, or released."""
    created_sites: Ints = field(metadata=stored("<i8", Check.INDEX))
    last_sites: Ints = field(metadata=stored("<i8", Check.INDEX))
    changing: npt.NDArray[np.bool_] = field(metadata=stored("|b1", Check.FLAG))
    """The row was being written in each of several reads: its fields may be of two moments."""

    def __len__(self) -> int:
        """Rows, tombstones among them."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Vitals:
    """The facts that can be read many times a second: counters only, no rows.

    ``per_type`` is indexed as ``types`` of the snapshot.
    """

    at: float
    live: Count
    pending: Count
    created: Ints = field(metadata=stored("<i8", Check.COUNT))
    """Per type index (element 0 is not used), since the segment began."""
    released: Ints = field(metadata=stored("<i8", Check.COUNT))
    collections: tuple[Collection, ...] = ()
    """The newest ones, oldest first."""
    lives: Ints = field(
        default_factory=lambda: np.zeros(0, np.int64), metadata=stored("<i8", Check.COUNT, since=1)
    )
    """Handles that live per type index, those born before the agent came included; empty in files
    of older versions."""

    def live_by_type(self) -> Ints:
        """Live handles per type index; if not recorded, only those born in the segment."""
        return self.lives if len(self.lives) else self.created - self.released


@dataclass(frozen=True, slots=True)
class Snapshot(WithFacts):
    """The state at an instant."""

    serial: int
    """Grows by one with each snapshot of a session."""
    taken_at: float
    target: Target
    handles: Handles
    types: Mapping[int, TypeRow]
    threads: Mapping[int, ThreadRow]
    sites: Mapping[int, Site]
    vitals: Vitals
    lost: Lost
    cost: Cost
    sampled_at: float = float("nan")
    """When the counts were last sampled."""
    last_close_secs: float = float("nan")
    """Duration of the newest finished close."""
    limits: tuple[Limit, ...] = ()
    """What the target can run out of; what is not known is left out."""
    deadlines: tuple[CloseDeadline, ...] = ()
    """When pending closes are withdrawn; those that have one, as far as the header has room for
    them."""
    hidden_deadlines: Count = 0
    """Pending closes with a deadline that found no room there."""
    stacks: tuple[ThreadStack, ...] = ()
    """What all threads of the process did when they were looked at from outside, the main one
    first; empty: they were not."""
    notes: tuple[str, ...] = ()
    """Parts that could not be looked at, and why: sentences without a full stop."""

    seen_at: float = float("nan")
    """When the state of an earlier moment was put together; ``nan``: it was read at its moment."""
    missing: Count = 0
    """Handles that lived at an earlier moment and have no row any more."""

    @property
    def is_past(self) -> bool:
        """The state of an earlier moment, as far as it was known at ``seen_at``."""
        return not math.isnan(self.seen_at)

    def kind_of(self, row: int) -> Kind:
        """Kind of the type of a row of ``handles``; ``Kind.UNKNOWN`` when the type is not known."""
        found = self.types.get(int(self.handles.types[row]))
        return kind_named(found.kind) if found else Kind.UNKNOWN

    def live_count(self) -> int:
        """Rows that are not tombstones."""
        return self.fact(count_live)


def count_live(snapshot: Snapshot) -> int:
    """Rows that are not tombstones."""
    references = snapshot.handles.references
    live = (references == Reference.LIVE) | (references == Reference.RELEASE_REQUESTED)
    return int(np.count_nonzero(live))
