"""Who counted up and never down: the clones and releases of an object or a type, matched, and what is left by call site.

A handle's creation or clone is matched by its release. Native clones and releases that have no handle are matched within their object,
the newest clone first, as scopes nest. What remains are call sites with a net of *+n* (references that are still held, or whose release
was not seen) or *-n* (releases whose clone was before the recording). Pure; any thread; about a second for a million events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inspector.model.events import EventKind, Events
from inspector.model.snapshot import Frame, Site, Snapshot

LIBRARY_PLACES: tuple[str, ...] = ("/site-packages/", "/dist-packages/", "/rustc/", "/lib/python", "/bin/python", "/libpython", "<frozen ")
"""Parts of the path of a file that is nobody's own program; the interpreter's own among them."""
LIBRARY_FUNCTIONS: tuple[str, ...] = (
    *("core::", "alloc::", "std::", "<alloc::", "<core::", "__rust"),
    *("arc_inspector_native::ownership", "<arc_inspector_native::ownership", "arc_inspector_native::ffi", "ai_", "_cffi_"),
)
"""How functions of Rust's own libraries begin."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BalanceNode:
    """A call site, or a caller of one."""

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
    """What is left when matched pairs are taken away."""

    sites: tuple[BalanceNode, ...]
    """By size of the net, the largest first; each with its callers."""
    matched: int
    """Pairs taken away."""
    ups: int
    downs: int
    lost: int
    """Events that were overwritten before they were read: the balance may be off by so many."""

    @property
    def net(self) -> int:
        """Everything that is left."""
        return self.ups - self.downs


@dataclass(slots=True)
class _Matching:
    """Counts up that wait for their counterpart."""

    open: dict[int, list[int]] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)
    """Net by site, of counts down without a counterpart."""
    matched: int = 0

    def up(self, key: int, site: int) -> None:
        self.open.setdefault(key, []).append(site)

    def down(self, key: int, site: int) -> None:
        waiting = self.open.get(key)
        if waiting:
            waiting.pop()
            self.matched += 1
        else:
            self.left[site] = self.left.get(site, 0) - 1

    def nets(self) -> dict[int, int]:
        nets = dict(self.left)
        for sites in self.open.values():
            for site in sites:
                nets[site] = nets.get(site, 0) + 1
        return nets


def of_object(events: Events, snapshot: Snapshot, handle: int) -> Mask:
    """Events of the object that a handle names: of all its handles, and of native code that has none."""
    handles = snapshot.handles
    row = np.flatnonzero(handles.ids == np.uint64(handle))
    if not len(row):
        return np.asarray(events.handles == np.uint64(handle))
    born = handles.created_at[row[0]]
    address = handles.addresses[row[0]]
    same = handles.ids[handles.addresses == address] if address else handles.ids[row]
    mask = np.isin(events.handles, same)
    if address:
        first = np.fmin.reduce(handles.created_at[np.isin(handles.ids, same)], initial=born)
        since = events.at >= first - 1e-6 if not np.isnan(first) else np.ones(len(events), dtype=np.bool_)
        mask |= (events.addresses == address) & (events.handles == 0) & since
    return np.asarray(mask)


def of_type(events: Events, snapshot: Snapshot, type_index: int) -> Mask:
    """Events of all objects of a type that the snapshot knows, tombstones among them."""
    rows = snapshot.handles.types == type_index
    addresses = np.setdiff1d(snapshot.handles.addresses[rows], np.zeros(1, np.uint64))
    mask = np.isin(events.handles, snapshot.handles.ids[rows]) | (np.isin(events.addresses, addresses) & (events.addresses != 0))
    return np.asarray(mask)


def balance_of(events: Events, sites: Mapping[int, Site], *, lost: int = 0) -> Balance:
    """Match these events; ``sites`` are those of the snapshot."""
    matching = _Matching()
    ups = downs = 0
    kinds, handles, addresses = events.kinds.tolist(), events.handles.tolist(), events.addresses.tolist()
    for kind, handle, address, site in zip(kinds, handles, addresses, events.sites.tolist(), strict=True):
        key = handle or -address
        if kind in (EventKind.CREATE, EventKind.CLONE):
            ups += 1
            matching.up(key, site)
        elif kind == EventKind.RELEASE:
            downs += 1
            matching.down(key, site)
    nets = {site: net for site, net in matching.nets().items() if net}
    return Balance(_nodes(nets, sites), matching.matched, ups, downs, lost)


def _nodes(nets: Mapping[int, int], sites: Mapping[int, Site]) -> tuple[BalanceNode, ...]:
    """Sites by their innermost own frame, merged, with the ways that led there below."""
    stacks: list[tuple[int, tuple[BalanceNode, ...]]] = []
    for index, net in nets.items():
        site = sites.get(index)
        frames = folded(site.frames) if site is not None else (BalanceNode("site not recorded", 0),)
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
        nodes.append(BalanceNode(first.text, sum(net for net, _ in members), first.file, first.line, first.folded, inner))
    return tuple(sorted((node for node in nodes if node.net), key=lambda node: (-abs(node.net), node.text)))


def folded(frames: Sequence[Frame]) -> tuple[BalanceNode, ...]:
    """Frames innermost first, with runs of library frames as one line each; a stack of library frames alone stays as it is."""
    if all(is_library(frame) for frame in frames):
        return tuple(_node(frame) for frame in frames)
    lines: list[BalanceNode] = []
    run: list[Frame] = []
    for frame in (*frames, None):
        if frame is not None and is_library(frame):
            run.append(frame)
            continue
        if run and (lines or frame is None):  # library frames inside of the program's innermost one say nothing about it
            lines.append(_node(run[0]) if len(run) == 1 else BalanceNode(f"{len(run)} library frames", 0, folded=len(run)))
        run = []
        if frame is not None:
            lines.append(_node(frame))
    return tuple(lines)


def is_library(frame: Frame) -> bool:
    """Whether a frame is of the standard libraries or an installed package."""
    return any(part in frame.file for part in LIBRARY_PLACES) or frame.function.startswith(LIBRARY_FUNCTIONS)


def _node(frame: Frame) -> BalanceNode:
    return BalanceNode(frame.short(), 0, frame.file, frame.line)
