"""Pending closes: requests that have not run, each with its requester and its obstacle.

Computed from a snapshot; row order and columns are numpy, texts are made only for the rows that are
shown. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np

from inspector.model.calls import library_calls
from inspector.model.snapshot import UNKNOWN, Floats, Ids, Ints, Snapshot, ThreadRow, TypeRow
from inspector.model.stacks import Site
from inspector.model.states import alive, pending
from inspector.model.stored_table import picked
from inspector.vocabulary import Resource, handle_text, kind_named

NO_THREAD: Final = ""
CLOSING_METHODS: Final = frozenset(
    {"close", "aclose", "destroy", "disconnect", "dispose", "shutdown", "stop", "terminate"}
)
"""Names of methods that end what an object does."""
PARTS: Final = MappingProxyType({("zmq", "Context"): "Socket"})
"""Classes whose close waits until all of their parts are closed, by library and name, and the class
of the parts."""
MAX_NAMES: Final = 3
"""Threads that a reason names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class OpenParts:
    """The open parts that a close waits for."""

    name: str
    """Name of their type."""
    count: int
    first: int
    """Handle of one of them."""
    holders: tuple[str, ...]
    """Python objects that hold this one, in words."""

    def words(self) -> str:
        """``20 open Socket, of which #3.1 is held by global __main__.lost``."""
        held = f"held by {_listed(self.holders)}" if self.holders else "held by no Python object"
        what = f"{self.count:,} open {self.name}"
        number = handle_text(self.first)
        return f"{what}, {number}, {held}" if self.count == 1 else f"{what}; {number} is {held}"


@dataclass(frozen=True, slots=True)
class AwaitedCloses:
    """The closes that adapters run on the program's event loops, told by the target's agent."""

    deadlines: Mapping[int, float | None]
    """When a close is withdrawn, by the handle it was asked for by; seconds since the Unix epoch;
    ``None``: never."""
    told_at: float = field(compare=False)
    """When the agent told them; seconds since the Unix epoch. Closes that began later are not among
    them."""
    threads: Mapping[int, str] = field(default_factory=dict)
    """Names of the threads that run closes which the agent found under way, by handle: such a close
    has no other record of its thread."""
    parts: Mapping[int, OpenParts] = field(default_factory=dict)
    """The open parts that running closes wait for, by the handle that closes."""


@dataclass(frozen=True, slots=True)
class PendingCloses:
    """The pending closes of one snapshot, oldest first (closes of unknown age last).

    One element a row.
    """

    rows: Ints
    """Row in the snapshot's handle table."""
    ids: Ids
    since: Floats
    """Since when the close is in the state it is in; seconds since the Unix epoch, ``nan`` when not
    known."""
    in_flight: Ints
    """Calls that use the object now; ``UNKNOWN`` when not known."""
    stuck: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """Waits for an owner thread that has ended: whoever drains, or closes it, runs it."""
    snapshot: Snapshot | None = None
    callers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Names of the threads that call a handle now, by its id."""
    deadlines: Mapping[int, float] = field(default_factory=dict)
    """When a close is withdrawn, by the handle that it was asked for by; seconds since the Unix
    epoch."""

    threads: Mapping[int, str] = field(default_factory=dict)
    """Names of the threads that run closes which were found under way, by handle."""
    parts: Mapping[int, OpenParts] = field(default_factory=dict)
    """The open parts that running closes wait for, by handle."""

    untold: frozenset[int] = frozenset()
    """Handles of closes that may have a deadline which is not known."""

    def __len__(self) -> int:
        """Pending closes."""
        return len(self.rows)

    def oldest_since(self) -> float:
        """Since when the oldest one waits; ``nan`` when there is none or no age is known."""
        return float(self.since[0]) if len(self.since) else float("nan")

    def type_name(self, row: int) -> str:
        """Name of the item's type, ``""`` when not known."""
        found = self._type(row)
        return found.name if found else ""

    def resource(self, row: int) -> Resource:
        """The state of the close now."""
        return Resource(int(self._snapshot.handles.resources[self.rows[row]]))

    def requester(self, row: int) -> str:
        """Name of the thread that asked for the close, ``""`` when not known."""
        handles = self._snapshot.handles
        name = "created_threads" if self.resource(row) is Resource.NONE else "requester_threads"
        thread = picked(handles, name, self.rows[row : row + 1])[0]
        known = thread_name(self._snapshot, int(thread))
        return known or self.threads.get(int(self.ids[row]), NO_THREAD)

    def request_site(self, row: int) -> Site | None:
        """From where the close was asked for (the last use of the handle), if that was recorded."""
        handles = self._snapshot.handles
        sites = handles.created_sites if self.resource(row) is Resource.NONE else handles.last_sites
        return self._snapshot.sites.get(int(sites[self.rows[row]]))

    def request_place(self, row: int) -> str:
        """The innermost line of where the close was asked for.

        ``""`` where that was not recorded.
        """
        site = self.request_site(row)
        return "" if site is None else site.short()

    def deadline(self, row: int) -> float:
        """When the close is withdrawn, seconds since the Unix epoch.

        ``nan`` when it has no deadline or none is known.
        """
        return self.deadlines.get(int(self.ids[row]), float("nan"))

    def is_deadline_known(self, row: int) -> bool:
        """Whether the close has no other deadline than ``deadline`` says."""
        return int(self.ids[row]) not in self.untold

    def waits_for(self, row: int) -> ThreadRow | None:
        """The owner thread that alone may run this close, when the close waits for it."""
        if self.resource(row) is not Resource.WAITING_OWNER:
            return None
        return self._snapshot.threads.get(int(self._snapshot.handles.owner_threads[self.rows[row]]))

    def waits_for_text(self, row: int) -> str:
        """Name and state of the thread it waits for: the owner thread, or the callers.

        ``""`` when not known.
        """
        owner = self.waits_for(row)
        if owner is not None:
            return f"{owner.label} ({'alive' if owner.alive else 'ended'})"
        if self.resource(row) is Resource.DRAINING:
            return _listed(self.callers.get(int(self.ids[row]), ()))
        return ""

    def reason(self, row: int) -> str:
        """Why it has not run, a sentence without a full stop."""
        resource = self.resource(row)
        if resource is Resource.NONE:
            return "Its closing method runs and has not ended"
        if resource is Resource.DRAINING:
            return self._draining_reason(row)
        if resource is Resource.WAITING_OWNER:
            return self._owner_reason(row)
        if resource is Resource.CLOSING:
            return f"The close method is running{self._open_parts(row)}"
        if self._is_of_adapter(row):
            return "Queued: the program's event loop has not come to it yet"
        return "Queued: the finaliser has not come to it yet"

    @property
    def _snapshot(self) -> Snapshot:
        if self.snapshot is None:
            raise IndexError("no pending close is in an empty list")
        return self.snapshot

    def _type(self, row: int) -> TypeRow | None:
        return self._snapshot.types.get(int(self._snapshot.handles.types[self.rows[row]]))

    def _is_of_adapter(self, row: int) -> bool:
        found = self._type(row)
        return found is not None and kind_named(found.kind).calls_are_estimated

    def _open_parts(self, row: int) -> str:
        """Open objects that such a close waits for, or may wait for; ``""``: none is known."""
        told = self.parts.get(int(self.ids[row]))
        if told is not None:
            return f"; it waits for {told.words()}"
        own, snapshot = self._type(row), self._snapshot
        library = own.origin.partition(".")[0] if own else ""
        part = PARTS.get((library, own.name)) if own else None
        kinds = [
            each.index
            for each in snapshot.types.values()
            if each.name == part and each.origin.partition(".")[0] == library
        ]
        if part and not kinds:
            return f"; whether it waits for an open {part} is not known: that class is not followed"
        handles = snapshot.handles
        count = int(
            np.count_nonzero(
                np.isin(handles.types, kinds)
                & alive(handles)
                & (handles.resources == Resource.OPEN)
            )
        )
        if not part or not count:
            return ""
        return (
            f"; {count:,} open {part} of {library} {'is' if count == 1 else 'are'} known in "
            "the process"
        )

    def _draining_reason(self, row: int) -> str:
        count = int(self.in_flight[row])
        if count <= 0:
            return (
                "Waits for calls in flight to end"
                if count == UNKNOWN
                else "All calls have ended, it is about to close"
            )
        calls = "a call" if count == 1 else f"{count:,} calls"
        callers = _listed(self.callers.get(int(self.ids[row]), ()))
        return f"Waits for {calls} in flight" + (f" on {callers}" if callers else "")

    def _owner_reason(self, row: int) -> str:
        owner = self.waits_for(row)
        if owner is None:
            return "Only its owner thread may close it"
        if not owner.alive:
            return f"Its owner {owner.label} has ended: a drain runs it"
        return f"Only thread {owner.label} may close it, and has not run it yet"


def thread_name(snapshot: Snapshot, index: int) -> str:
    """Label of the thread with ``index``, ``""`` without a thread, or for an unknown thread."""
    thread = snapshot.threads.get(index) if index else None
    return thread.label if thread else NO_THREAD


def pending_closes(snapshot: Snapshot, awaited: AwaitedCloses | None = None) -> PendingCloses:
    """Pending closes and closing methods that run, oldest first.

    Equal ages stay in slot order, so rows do not jump.
    """
    rows, handles = snapshot.fact(closing_rows), snapshot.handles
    deadlines = _deadlines(snapshot, rows, awaited)
    return PendingCloses(
        rows=rows,
        ids=handles.ids[rows],
        since=picked(handles, "changed_at", rows),
        in_flight=picked(handles, "in_flight", rows),
        stuck=_stuck(snapshot, rows),
        snapshot=snapshot,
        callers=_callers(snapshot),
        deadlines=MappingProxyType(deadlines),
        threads=MappingProxyType({} if awaited is None else awaited.threads),
        parts=MappingProxyType({} if awaited is None else awaited.parts),
        untold=_untold(snapshot, rows, awaited) - deadlines.keys(),
    )


def requested_rows(snapshot: Snapshot) -> Ints:
    """Rows with a close that was asked for and has not run."""
    return np.flatnonzero(pending(snapshot.handles))


def closing_rows(snapshot: Snapshot) -> Ints:
    """These rows, and the rows of closing methods that run; the oldest first."""
    rows = np.union1d(snapshot.fact(requested_rows), closing_calls(snapshot)).astype(np.int64)
    ordered: Ints = rows[np.argsort(snapshot.handles.changed_at[rows], kind="stable")]
    return ordered


def closing_calls(snapshot: Snapshot) -> Ints:
    """Rows of calls of methods that close by their name.

    UniFFI's objects have no other close, and theirs is often asynchronous.
    """
    closing = [
        index
        for index, row in snapshot.types.items()
        if kind_named(row.kind).is_call and is_closing(row.name)
    ]
    if not closing:
        return np.empty(0, np.int64)
    calls, handles = library_calls(snapshot), snapshot.handles
    # the object's own row says that it closes, where its class opted in
    asked = handles.addresses[snapshot.fact(requested_rows)]
    told = asked[asked != 0]
    found: Ints = calls[
        np.isin(handles.types[calls], closing) & ~np.isin(handles.addresses[calls], told)
    ]
    return found


def is_closing(method: str) -> bool:
    """Whether a method closes, by its name: ``Client.shutdown``."""
    owner, _, name = method.rpartition(".")
    return bool(owner) and name.removesuffix("_async") in CLOSING_METHODS


def empty_pending_closes() -> PendingCloses:
    """None at all, before there is a snapshot."""
    ints, floats = np.empty(0, np.int64), np.empty(0, np.float64)
    return PendingCloses(ints, np.empty(0, np.uint64), floats, ints, np.empty(0, np.bool_))


def _stuck(snapshot: Snapshot, rows: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    ended = np.array(
        [index for index, thread in snapshot.threads.items() if not thread.alive], dtype=np.int64
    )
    waiting = snapshot.handles.resources[rows] == Resource.WAITING_OWNER
    stuck: np.ndarray[tuple[int], np.dtype[np.bool_]] = waiting & np.isin(
        picked(snapshot.handles, "owner_threads", rows), ended
    )
    return stuck


def of_adapters(snapshot: Snapshot, rows: Ints) -> Ints:
    """The rows among ``rows`` that adapters keep.

    The agent knows more of their closes than the rows show.
    """
    kinds = [
        index for index, row in snapshot.types.items() if kind_named(row.kind).calls_are_estimated
    ]
    found: Ints = rows[np.isin(snapshot.handles.types[rows], kinds)]
    return found


def is_close_of_adapter(snapshot: Snapshot | None, handle: int) -> bool:
    """Whether a handle has a pending close that an adapter keeps."""
    if snapshot is None:
        return False
    rows = np.flatnonzero((snapshot.handles.ids == np.uint64(handle)) & pending(snapshot.handles))
    return bool(len(of_adapters(snapshot, rows.astype(np.int64))))


def _untold(snapshot: Snapshot, rows: Ints, awaited: AwaitedCloses | None) -> frozenset[int]:
    """Handles of adapters whose close began after the agent told its deadlines, or may have."""
    handles, kept = snapshot.handles, of_adapters(snapshot, rows)
    if awaited is not None:
        kept = kept[~(handles.changed_at[kept] <= awaited.told_at)]
    return frozenset(handles.ids[kept].tolist())


def _deadlines(snapshot: Snapshot, rows: Ints, awaited: AwaitedCloses | None) -> dict[int, float]:
    """A deadline belongs to the handle that asked.

    The object's other handles, which wait with it, have the same.
    """
    told = {} if awaited is None else awaited.deadlines
    asked = {deadline.handle: deadline.at for deadline in snapshot.deadlines}
    asked |= {handle: at for handle, at in told.items() if at is not None}
    if not asked:
        return {}
    ids, addresses = snapshot.handles.ids[rows].tolist(), snapshot.handles.addresses[rows].tolist()
    by_object = {
        address: asked[handle]
        for handle, address in zip(ids, addresses, strict=True)
        if handle in asked and address
    }
    at = {
        handle: asked.get(handle, by_object.get(address))
        for handle, address in zip(ids, addresses, strict=True)
    }
    return {handle: secs for handle, secs in at.items() if secs is not None}


def _callers(snapshot: Snapshot) -> Mapping[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    for thread in snapshot.threads.values():
        for call in thread.calls:
            names = found.setdefault(call.handle, [])
            if thread.label not in names:
                names.append(thread.label)
    return MappingProxyType({handle: tuple(names) for handle, names in found.items()})


def _listed(names: tuple[str, ...]) -> str:
    if len(names) <= MAX_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MAX_NAMES])} and {len(names) - MAX_NAMES} more"
