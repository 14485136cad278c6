"""The clones and releases of an object or a type, matched, and the remainder by call site.

A handle's creation or clone is matched by its release. Native clones and releases that have no
handle are matched within their object, the newest clone first, as scopes nest. Changes without an
event are known from the counts (``balance_counts``) and matched the same way. The remaining call
sites have a net of *+n* (references that are still held) or *-n* (releases whose clone was before
the recording). Pure; any thread; about a second for a million events.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.balance_counts import UP, Tally, tally_of, unseen_changes
from inspector.model.counts import is_live
from inspector.model.events import Events
from inspector.model.snapshot import Ints, Snapshot
from inspector.model.stacks import Frame, Site
from inspector.source_places import INSTALLED, is_of_package, is_standard
from inspector.vocabulary import EventKind, Reference

INTERPRETERS: Final = ("/bin/python", "/libpython")
"""Parts of the path of a library with the interpreter."""
LIBRARY_FUNCTIONS: Final = re.compile(
    r"<?(core|alloc|std|arc_inspector(?!_samples)\w*)::|__rust|ai_|_cffi_", re.ASCII
)
"""How functions of Rust's own libraries and of the runtime's crates begin; the samples are a
program's code."""

CLOCK_STEP_SECS: Final = 1e-6
"""Times that differ by less are one moment: seconds since the epoch have no finer steps in a
double."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BalanceNode:
    """A call site, or a caller of a call site."""

    text: str
    net: int
    """References counted up here and not down."""
    file: str = ""
    line: int = 0
    folded: int = 0
    """Library frames that this line stands for; 0: it is a frame."""
    callers: tuple[BalanceNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Balance:
    """The remainder after matched pairs are taken away."""

    sites: tuple[BalanceNode, ...]
    """By size of the net, the largest first; each with its callers."""
    matched: int
    """Pairs taken away."""
    tally: Tally
    """All changes, those without an event among them."""
    lost: int
    """Events that were overwritten before they were read: the balance may be off by so many."""

    @property
    def net(self) -> int:
        """Everything that is left."""
        return self.tally.ups - self.tally.downs


@dataclass(slots=True)
class _Matching:
    """Counts up that wait for their counterpart: by key, how many at which site, newest last."""

    open: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    """Net by site, of counts down without a counterpart."""
    matched: int = 0

    def up(self, key: int, site: int, count: int = 1) -> None:
        self.open.setdefault(key, []).append((site, count))

    def down(self, key: int, site: int, count: int = 1) -> None:
        waiting = self.open.get(key, [])
        while waiting and count:
            at, there = waiting.pop()
            taken = min(there, count)
            self.matched += taken
            count -= taken
            if there > taken:
                waiting.append((at, there - taken))
        if count:
            self.left[site] = self.left.get(site, 0) - count

    def change(self, key: int, change: int) -> None:
        """A change without an event, at a place that is not known."""
        if change > 0:
            self.up(key, 0, change)
        elif change < 0:
            self.down(key, 0, -change)

    def nets(self) -> dict[int, int]:
        nets = dict(self.left)
        for sites in self.open.values():
            for site, count in sites:
                nets[site] = nets.get(site, 0) + count
        return {site: net for site, net in nets.items() if net}


def of_object(events: Events, snapshot: Snapshot, handle: int) -> Mask:
    """Events of the object that a handle names, of all its handles.

    Events of native code, which has no handle, are among them.

    The allocator gives an address to one object after the other. Events outside the object's life
    are left out.
    """
    handles = snapshot.handles
    row = np.flatnonzero(handles.ids == np.uint64(handle))
    if not len(row) or not handles.addresses[row[0]]:
        return np.asarray(events.handles == np.uint64(handle))
    address = handles.addresses[row[0]]
    there = np.flatnonzero(handles.addresses == address)
    first, last = _life(events, snapshot, int(row[0]), there)
    live = is_live(handles.references[there])
    is_its = (handles.created_at[there] > first) & (handles.created_at[there] <= last) | (
        there == row[0]
    )
    # rows of one living object, some of them without a time of birth
    is_its |= live & live[there == row[0]]
    births = handles.created_at[there[is_its]]
    since = first if np.isnan(births).any() else max(first, float(births.min()) - CLOCK_STEP_SECS)
    without_handle = (
        (events.addresses == address)
        & (events.handles == 0)
        & (events.at > since)
        & (events.at <= last)
    )
    return np.asarray(np.isin(events.handles, handles.ids[there[is_its]]) | without_handle)


def _life(events: Events, snapshot: Snapshot, row: int, there: Ints) -> tuple[float, float]:
    """The end of the object before ``row``'s object at its address, and its own end.

    The object lived between the two.

    ``there``: all rows with that address. Seconds since the Unix epoch; infinite where no end is
    known.
    """
    handles = snapshot.handles
    dropped = handles.changed_at[there[handles.references[there] == Reference.DROPPED]]
    is_end = (events.kinds == EventKind.DROP) | (
        (events.kinds == EventKind.RELEASE) & (events.counts == 0)
    )
    ends = np.concatenate(
        (dropped, events.at[is_end & (events.addresses == handles.addresses[row])])
    )
    born, ends = handles.created_at[row], ends[~np.isnan(ends)]
    if np.isnan(born):
        born = -np.inf
    return float(ends[ends < born].max(initial=-np.inf)), float(
        ends[ends >= born].min(initial=np.inf)
    )


def of_type(events: Events, snapshot: Snapshot, type_index: int) -> Mask:
    """Events of all objects of a type."""
    known = events.types != 0
    rows = snapshot.handles.types == type_index
    return np.asarray(
        np.where(
            known, events.types == type_index, np.isin(events.handles, snapshot.handles.ids[rows])
        )
    )


def balance_of(
    events: Events, sites: Mapping[int, Site], *, snapshot: Snapshot | None = None, lost: int = 0
) -> Balance:
    """Match these events, oldest first.

    ``sites`` are the snapshot's, ``snapshot`` has the counts after the last event.
    """
    matching = _Matching()
    unseen = unseen_changes(events, snapshot)
    columns = (events.kinds, events.handles, events.addresses, events.sites, unseen.before)
    for kind, handle, address, site, change in zip(
        *(each.tolist() for each in columns), strict=True
    ):
        key = handle or -address
        matching.change(-address, change)
        if kind in UP:
            matching.up(key, site)
        elif kind == EventKind.RELEASE:
            matching.down(key, site)
    for address, change in unseen.after.items():
        matching.change(-address, change)
    return Balance(_nodes(matching.nets(), sites), matching.matched, tally_of(events, unseen), lost)


def _nodes(nets: Mapping[int, int], sites: Mapping[int, Site]) -> tuple[BalanceNode, ...]:
    """Sites by their innermost own frame, merged, with the ways that led there below."""
    stacks: list[tuple[int, tuple[BalanceNode, ...]]] = []
    for index, net in nets.items():
        site = sites.get(index)
        frames = (
            folded(site.frames, site.packages)
            if site is not None
            else (BalanceNode("site not recorded", 0),)
        )
        stacks.append((net, frames))
    return _merged(stacks)


def _merged(stacks: Iterable[tuple[int, tuple[BalanceNode, ...]]]) -> tuple[BalanceNode, ...]:
    groups: dict[tuple[str, str, int], list[tuple[int, tuple[BalanceNode, ...]]]] = {}
    for net, frames in stacks:
        if frames:
            first = frames[0]
            groups.setdefault((first.text, first.file, first.line), []).append((net, frames))
    nodes = []
    for members in groups.values():
        first = members[0][1][0]
        inner = _merged((net, frames[1:]) for net, frames in members)
        nodes.append(
            BalanceNode(
                first.text,
                sum(net for net, _ in members),
                first.file,
                first.line,
                first.folded,
                inner,
            )
        )
    return tuple(
        sorted((node for node in nodes if node.net), key=lambda node: (-abs(node.net), node.text))
    )


def folded(frames: Sequence[Frame], packages: Collection[str] = ()) -> tuple[BalanceNode, ...]:
    """Frames outwards from the frame that names the site.

    Runs of library frames are one line each.

    Library frames inside of that one say nothing about the program. A stack of library frames alone
    stays as it is.
    """
    own = next(
        (place for place, frame in enumerate(frames) if not _is_inside(frame, packages)), None
    )
    if own is None:
        return tuple(_node(frame) for frame in frames)
    lines = [_node(frames[own])]
    run: list[Frame] = []
    for frame in (*frames[own + 1 :], None):
        if frame is not None and is_library(frame):
            run.append(frame)
            continue
        if run:
            lines.append(
                _node(run[0])
                if len(run) == 1
                else BalanceNode(f"{len(run)} library frames", 0, folded=len(run))
            )
        run = []
        if frame is not None:
            lines.append(_node(frame))
    return tuple(lines)


def is_library(frame: Frame) -> bool:
    """Whether a frame is of the standard libraries or an installed package."""
    return (
        any(part in frame.file for part in INSTALLED)
        or is_standard(frame.file)
        or _is_native_library(frame)
    )


def _is_inside(frame: Frame, packages: Collection[str]) -> bool:
    """Whether a frame cannot name a site.

    As ``Site.short`` says: frames of the standard libraries and of followed packages cannot.
    """
    return (
        is_standard(frame.file) or is_of_package(frame.file, packages) or _is_native_library(frame)
    )


def _is_native_library(frame: Frame) -> bool:
    library = frame.library or frame.file
    is_interpreter = any(part in library for part in INTERPRETERS)
    return is_interpreter or LIBRARY_FUNCTIONS.match(frame.function) is not None


def _node(frame: Frame) -> BalanceNode:
    return BalanceNode(frame.short(), 0, frame.file, frame.line)
