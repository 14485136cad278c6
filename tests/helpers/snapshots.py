"""Builds snapshots for tests: a few described rows, or any number of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from inspector.model.snapshot import (
    UNKNOWN,
    Collection,
    Cost,
    Handles,
    Lost,
    Outer,
    Snapshot,
    Target,
    TargetState,
    ThreadRow,
    TypeRow,
    Vitals,
)
from inspector.model.stacks import Frame, Site
from inspector.model.stored import blank_columns
from inspector.vocabulary import PENDING, Level, Reference, Resource

T0 = 1_750_000_000.0
"""When test snapshots are taken, seconds since the Unix epoch."""
TYPE_NAMES = ("TodoList", "TodoItem", "Journal")
CLOSING_TYPES = ("Journal",)
THREAD_NAMES = ("MainThread", "worker-1", "worker-2", "worker-3")
SITE_FRAMES = (
    ("add", "/srv/app/app.py", 41),
    ("open_journal", "/srv/app/storage.py", 12),
    ("sync", "/srv/app/sync.py", 88),
)
NO_TIME = float("nan")


@dataclass(frozen=True)
class Row:
    """Description of a handle; the defaults make a plain live handle."""

    slot: int
    type: str = "TodoItem"
    generation: int = 1
    foreign: bool = False
    reference: Reference = Reference.LIVE
    resource: Resource = Resource.NONE
    address: int = 0
    """0: one of its own, from the slot."""
    strong: int = 1
    weak: int = 0
    in_flight: int = 0
    proxies: int = 1
    native_refs: int = 0
    inner_strong: int = UNKNOWN
    outer_strong: int = UNKNOWN
    data: int = 0
    """0: one of its own, from the slot."""
    age_secs: float = 60.0
    changed_secs: float = 60.0
    thread: str = "MainThread"
    last_thread: str = ""
    owner: str = ""
    requester: str = ""
    site: int = 1
    """Index of the site; 0: none."""
    last_site: int = 0
    changing: bool = False

    @property
    def id(self) -> int:
        """The handle's number."""
        return handle_id(self.slot, self.generation, foreign=self.foreign)


@dataclass(frozen=True)
class World:
    """The names that rows refer to."""

    types: Sequence[str] = TYPE_NAMES
    threads: Sequence[str] = THREAD_NAMES
    ended_threads: Sequence[str] = ()
    created: Mapping[str, int] = field(default_factory=dict)
    released: Mapping[str, int] = field(default_factory=dict)
    traits: Mapping[str, Outer] = field(default_factory=dict)
    """Types that are traits, and what their handles point into."""


def handle_id(slot: int, generation: int = 1, *, foreign: bool = False) -> int:
    """``generation << 32 | slot << 1 | foreign``."""
    return generation << 32 | slot << 1 | int(foreign)


def snapshot_of(
    rows: Sequence[Row] = (),
    *,
    at: float = T0,
    serial: int = 1,
    world: World | None = None,
    state: TargetState = TargetState.LIVE,
    reason: str = "",
    lost: Mapping[str, int] | None = None,
    collections: tuple[Collection, ...] = (),
) -> Snapshot:
    """A snapshot with exactly these rows, in slot order."""
    world = world or World()
    rows = sorted(rows, key=lambda r: r.slot)
    return _assemble(
        _columns(rows, world, at),
        world,
        at=at,
        serial=serial,
        target=make_target(state, reason),
        lost=lost,
        collections=collections,
    )


def big_snapshot(
    count: int,
    *,
    at: float = T0,
    serial: int = 1,
    seed: int = 7,
    tombstones: int = 0,
    pending: int = 0,
    world: World | None = None,
    state: TargetState = TargetState.LIVE,
) -> Snapshot:
    """``count`` rows of every type, the same for the same seed.

    The last ``tombstones`` are dead, the first ``pending`` wait to close.
    """
    world = world or World()
    rng = np.random.default_rng(seed)
    slots = np.arange(1, count + 1, dtype=np.uint64)
    ids = (np.uint64(1) << np.uint64(32)) | (slots << np.uint64(1))
    references = np.full(count, Reference.LIVE, dtype=np.uint8)
    resources = np.full(count, Resource.NONE, dtype=np.uint8)
    kinds = rng.integers(1, len(world.types) + 1, count).astype(np.int64)
    resources[kinds == _closing_index(world)] = Resource.OPEN
    if tombstones:
        references[count - tombstones :] = Reference.DROPPED
    resources[:pending] = rng.choice(np.array(PENDING[:3], dtype=np.uint8), pending)
    kinds[:pending] = _closing_index(world)
    proxies = np.ones(count, dtype=np.int64)
    native = rng.integers(0, 3, count).astype(np.int64)
    requesters = np.zeros(count, dtype=np.int64)
    requesters[:pending] = 1
    threads = rng.integers(1, len(world.threads) + 1, count).astype(np.int64)
    created_at = at - rng.uniform(0.5, 4000.0, count)
    in_flight = (rng.random(count) < 0.01).astype(np.int64)
    zero = np.zeros(count, dtype=np.int64)
    handles = dataclasses.replace(
        Handles(**blank_columns(Handles, count)),
        ids=ids,
        types=kinds,
        references=references,
        resources=resources,
        addresses=np.uint64(0x7F00_0000_0000) + slots * np.uint64(64),
        data=np.uint64(0x7F00_0000_0010) + slots * np.uint64(64),
        strong=proxies + native,
        weak=rng.integers(0, 2, count).astype(np.int64),
        in_flight=in_flight,
        proxies=proxies,
        inner_strong=np.full(count, UNKNOWN, dtype=np.int64),
        outer_strong=np.full(count, UNKNOWN, dtype=np.int64),
        native_refs=native,
        created_at=created_at,
        changed_at=created_at + 0.25,
        created_threads=threads,
        last_threads=threads.copy(),
        owner_threads=np.where(resources == Resource.WAITING_OWNER, threads, 0),
        requester_threads=requesters,
        created_sites=rng.integers(0, len(SITE_FRAMES) + 1, count).astype(np.int64),
        last_sites=zero,
        changing=np.zeros(count, dtype=np.bool_),
    )
    return _assemble(
        handles, world, at=at, serial=serial, target=make_target(state), lost=None, collections=()
    )


def make_target(state: TargetState = TargetState.LIVE, reason: str = "") -> Target:
    """The process of the tests."""
    return Target(
        pid=4711,
        name="app.py",
        command="python app.py --serve",
        runtime="CPython 3.11.7",
        executable="/usr/bin/python3.11",
        start_time=123_456,
        started_at=T0 - 4000,
        state=state,
        reason=reason,
        state_since=T0 - 12,
        level=Level.HISTORY,
        viewers=1,
    )


def with_state(snapshot: Snapshot, state: TargetState, reason: str = "") -> Snapshot:
    """The same snapshot of a target in another state, one serial later."""
    target = dataclasses.replace(snapshot.target, state=state, reason=reason)
    return dataclasses.replace(snapshot, serial=snapshot.serial + 1, target=target)


def make_vitals(
    at: float,
    created: Sequence[int],
    released: Sequence[int],
    *,
    pending: int = 0,
    before: Sequence[int] = (),
) -> Vitals:
    """Counters per type, the first type first (index 0, which is not used, is added).

    ``before``: handles older than the agent.
    """
    made = np.array([0, *created], dtype=np.int64)
    gone = np.array([0, *released], dtype=np.int64)
    lives = made - gone + np.array([0, *(before or [0] * len(created))], dtype=np.int64)
    return Vitals(
        at=at, live=int(lives.sum()), pending=pending, created=made, released=gone, lives=lives
    )


def _columns(rows: Sequence[Row], world: World, at: float) -> Handles:
    def ints(values: Sequence[int]) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    threads = {"": 0} | {name: i for i, name in enumerate(world.threads, 1)}
    types = {name: i for i, name in enumerate(world.types, 1)}
    return dataclasses.replace(
        Handles(**blank_columns(Handles, len(rows))),
        ids=np.array([r.id for r in rows], dtype=np.uint64),
        types=ints([types[r.type] for r in rows]),
        references=np.array([r.reference for r in rows], dtype=np.uint8),
        resources=np.array([r.resource for r in rows], dtype=np.uint8),
        addresses=np.array(
            [r.address or 0x7F00_0000_0000 + r.slot * 64 for r in rows], dtype=np.uint64
        ),
        data=np.array([r.data or 0x7F00_0000_0010 + r.slot * 64 for r in rows], dtype=np.uint64),
        strong=ints([r.strong for r in rows]),
        weak=ints([r.weak for r in rows]),
        in_flight=ints([r.in_flight for r in rows]),
        proxies=ints([r.proxies for r in rows]),
        inner_strong=ints([r.inner_strong for r in rows]),
        outer_strong=ints([r.outer_strong for r in rows]),
        native_refs=ints([r.native_refs for r in rows]),
        created_at=np.array([at - r.age_secs for r in rows], dtype=np.float64),
        changed_at=np.array([at - r.changed_secs for r in rows], dtype=np.float64),
        created_threads=ints([threads[r.thread] for r in rows]),
        last_threads=ints([threads[r.last_thread or r.thread] for r in rows]),
        owner_threads=ints([threads[r.owner] for r in rows]),
        requester_threads=ints([threads[r.requester] for r in rows]),
        created_sites=ints([r.site for r in rows]),
        last_sites=ints([r.last_site for r in rows]),
        changing=np.array([r.changing for r in rows], dtype=np.bool_),
    )


def _assemble(
    handles: Handles,
    world: World,
    *,
    at: float,
    serial: int,
    target: Target,
    lost: Mapping[str, int] | None,
    collections: tuple[Collection, ...],
) -> Snapshot:
    for column in dataclasses.fields(handles):
        getattr(handles, column.name).flags.writeable = False
    live = (handles.references == Reference.LIVE) | (
        handles.references == Reference.RELEASE_REQUESTED
    )
    pending = np.isin(handles.resources, np.array(PENDING, dtype=np.uint8)) & live
    size = len(world.types) + 1
    total = np.bincount(handles.types, minlength=size)[:size].astype(np.int64)
    dead = np.bincount(handles.types[~live], minlength=size)[:size].astype(np.int64)
    for index, name in enumerate(world.types, 1):
        total[index] = world.created.get(name, total[index])
        dead[index] = world.released.get(name, dead[index])
    vitals = Vitals(
        at=at,
        live=int(live.sum()),
        pending=int(pending.sum()),
        created=total,
        released=dead,
        collections=collections,
        lives=total - dead,
    )
    return Snapshot(
        serial=serial,
        taken_at=at,
        target=target,
        handles=handles,
        types={
            i: _type_row(i, name, int(total[i]), int(dead[i]), world.traits.get(name))
            for i, name in enumerate(world.types, 1)
        },
        threads={
            i: _thread_row(i, name, handles, ended=name in world.ended_threads)
            for i, name in enumerate(world.threads, 1)
        },
        sites={
            i: Site(i, (Frame(*frame), Frame("main", "/srv/app/app.py", 7)))
            for i, frame in enumerate(SITE_FRAMES, 1)
        },
        vitals=vitals,
        lost=Lost(dict(lost or {})),
        cost=Cost(cpu_secs=1.2, share=0.003, segment_bytes=3_100_000, sample_secs=0.0004),
        sampled_at=at - 0.04,
        last_close_secs=0.003,
    )


def _type_row(index: int, name: str, created: int, released: int, outer: Outer | None) -> TypeRow:
    closes = name in CLOSING_TYPES
    return TypeRow(
        index=index,
        name=name,
        origin="samples",
        kind="arc" if outer is None else "uniffi_trait",
        closes=closes,
        close_signature="close(flush)" if closes else "",
        thread_affine=False,
        size_bytes=64 if name != "TodoList" else UNKNOWN,
        created=created,
        released=released,
        closed=0,
        never_closed=0,
        dropped=released,
        outer=outer or Outer.NONE,
    )


def _thread_row(index: int, name: str, handles: Handles, *, ended: bool) -> ThreadRow:
    return ThreadRow(
        index=index,
        tid=9000 + index,
        name=name,
        alive=not ended,
        started_at=T0 - 4000,
        ended_at=T0 - 5 if ended else NO_TIME,
        created=int((handles.created_threads == index).sum()),
        released=0,
    )


def _closing_index(world: World) -> int:
    return next((i for i, name in enumerate(world.types, 1) if name in CLOSING_TYPES), 1)
