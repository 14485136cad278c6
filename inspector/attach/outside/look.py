"""One look at a process from outside, without loading anything into it.

An unreadable part is a note, and the rest continues. Takes as long as reading the process's memory
three or four times. Any thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from inspector.attach import procfs
from inspector.attach.outside.awaited import MOST_CALLS, AwaitedCalls
from inspector.attach.outside.calls import SeenCall, pending_calls
from inspector.attach.outside.counts import Counts, Held, handles_with_counts
from inspector.attach.outside.extensions import living_extensions
from inspector.attach.outside.heap import Classes, Heap
from inspector.attach.outside.memory import Addresses, OutsideError, OutsideMemory
from inspector.attach.outside.objects import Objects
from inspector.attach.outside.python import SeenPython, find_python
from inspector.attach.outside.seen import (
    AWAITED,
    UNKNOWN,
    Look,
    SeenFrame,
    SeenLibrary,
    SeenRows,
    SeenRunning,
    SeenThread,
    SeenType,
    no_rows,
)
from inspector.attach.outside.thread_names import thread_classes, thread_names
from inspector.attach.outside.threads import look_at_threads
from inspector.attach.outside.uniffi import Bindings, Metadata, SeenClass, components
from inspector.errors import AttachError
from inspector.vocabulary import Kind
from inspector.wire.schema import RUNNING_ARGUMENT, RUNNING_BORROWS
from inspector.wire.uniffi import SMALL, Shape


def look(
    pid: int,
    *,
    with_objects: bool = True,
    with_stacks: bool = True,
    go_on: Callable[[], None] = lambda: None,
) -> Look:
    """Look at a process.

    ``go_on`` raises to give up. Raises ``OutsideError`` when the process has ended.
    """
    began = time.monotonic()
    threads, more, why = look_at_threads(pid, with_stacks=with_stacks)
    memory, notes, found = OutsideMemory(pid), [why] if why else [], _Found()
    try:
        if with_objects:
            python = find_python(pid)
            found.runtime = python.runtime
            _look_at_objects(memory, python, threads, found, go_on)
    except AttachError as error:
        found.is_whole = False
        notes.append(f"its objects could not be looked at: {error}")
    if not procfs.tasks(pid):
        raise OutsideError(f"process {pid} {'has ended' if threads else 'does not exist'}")
    return Look(
        pid=pid,
        runtime=found.runtime,
        types=tuple(found.types),
        rows=found.rows(),
        threads=tuple(_named(pid, each, found.thread_names) for each in threads),
        more_threads=more,
        packages=tuple(sorted(set(components(pid)))),
        took_secs=time.monotonic() - began,
        effort=memory.effort,
        is_whole=found.is_whole and not memory.effort.left_out_hits,
        doubtful=found.doubtful,
        standing=found.standing,
        without_handle=found.without_handle,
        libraries=found.libraries,
        notes=(*notes, *found.notes),
    )


def _named(pid: int, thread: SeenThread, names: dict[int, str]) -> SeenThread:
    """With the name that the program gave it, where that is known."""
    return replace(thread, name=names.get(procfs.inner_tid(pid, thread.tid), thread.name))


@dataclass(slots=True)
class _Found:
    """The finds, as they come."""

    runtime: str = ""
    is_whole: bool = True
    doubtful: frozenset[int] = frozenset()
    standing: dict[int, tuple[SeenFrame, ...]] = field(default_factory=dict)
    without_handle: int = 0
    libraries: tuple[SeenLibrary, ...] = ()
    notes: list[str] = field(default_factory=list)
    thread_names: dict[int, str] = field(default_factory=dict)
    types: list[SeenType] = field(default_factory=list)
    parts: list[SeenRows] = field(default_factory=list)

    def line_of(self, kind: SeenType) -> int:
        """Line of a type."""
        if kind not in self.types:
            self.types.append(kind)
        return self.types.index(kind)

    def add_held(self, held: Held, counts: Counts) -> None:
        """Rows of handles."""
        columns = (
            counts.addresses,
            counts.strong,
            counts.weak,
            counts.outer,
            counts.in_flight,
            counts.moving,
        )
        self.parts.append(SeenRows(held.kinds, held.places, held.handles, *columns))

    def add(
        self, kind: SeenType, places: Addresses, handles: Addresses, addresses: Addresses
    ) -> None:
        """Rows of one type of which there are no counts."""
        types = np.full(len(places), self.line_of(kind), np.int64)
        unknown = np.full(len(places), UNKNOWN, np.int64)
        self.parts.append(
            SeenRows(
                types, places, handles, addresses, *(unknown,) * 4, np.zeros(len(places), np.bool_)
            )
        )

    def rows(self) -> SeenRows:
        """All of them."""
        columns = [[getattr(part, each.name) for part in self.parts] for each in fields(SeenRows)]
        return SeenRows(*map(np.concatenate, columns)) if self.parts else no_rows()


def _look_at_objects(
    memory: OutsideMemory,
    python: SeenPython,
    stacks: Sequence[SeenThread],
    found: _Found,
    go_on: Callable[[], None],
) -> None:
    """Rows for all that lives."""
    objects = Objects(memory, python.layout, python.type_of_numbers)
    heap = Heap(memory, python.type_of_types, go_on)
    classes = heap.classes()
    bindings = Bindings(objects, classes, Metadata(memory.pid, objects))
    if bindings.hidden:
        found.notes.append(
            f"{bindings.hidden:,} classes are built like UniFFI's, and something "
            "hides how they end: theirs are not listed"
        )
    all_living, found.libraries = living_extensions(objects, heap, classes, found.notes)
    for living in all_living:
        kind = SeenType(living.cls.name, living.cls.module, Kind.PYO3.word)
        found.add(kind, living.places, living.places, living.places)
    threads = thread_classes(objects, classes)
    wanted = np.array(
        [
            *bindings.owners,
            *([python.type_of_coroutines] if bindings.owners else []),
            *threads.tolist(),
        ],
        np.uint64,
    )
    search = _Search(objects, heap, bindings, classes, wanted[wanted != 0], found)
    ending = {call.own for thread in stacks for call in thread.calls if call.ends}
    held, counts = handles_with_counts(memory, search, ending=ending)
    found.add_held(held, counts)
    is_thread = np.isin(search.kinds, threads)
    found.thread_names = thread_names(
        objects, classes, search.places[is_thread], search.kinds[is_thread]
    )
    _add_foreign(objects, bindings, AwaitedCalls(objects, python, classes, bindings), found)
    if not python.layout.coroutine_frame:
        found.notes.append(f"pending calls are not looked for in {python.runtime}")
    coroutines = search.places[search.kinds == np.uint64(python.type_of_coroutines)]
    lines = {place: line for line, place in enumerate(held.places.tolist())}
    only = _only({each.origin for each in bindings.proxies})
    for call in pending_calls(objects, coroutines, lines):
        line = lines.get(call.proxy)
        address = 0 if line is None else int(counts.addresses[line])
        _add_call(
            call,
            address,
            only if line is None else found.types[int(held.kinds[line])].origin,
            found,
        )
    borrowing = {
        each.address
        for each in bindings.proxies
        if all(shape.clone_name is None for shape in each.shapes)
    }
    borrows = dict(
        zip(
            search.places.tolist(),
            np.isin(search.kinds, _derived(bindings, borrowing)).tolist(),
            strict=True,
        )
    )
    for thread in stacks:
        for running in thread.calls:
            _add_running(thread.tid, running, _Used(held, counts, lines, borrows), only, found)


def _derived(bindings: Bindings, classes: Collection[int]) -> Addresses:
    """These generated classes, and the classes that the program derived from them."""
    return np.array(
        [address for address, owner in bindings.owners.items() if owner.address in classes],
        np.uint64,
    )


@dataclass(frozen=True, slots=True)
class _Used:
    """The proxies of a look, for calls that use them."""

    held: Held
    counts: Counts
    lines: Mapping[int, int]
    """Line of a proxy, by its place."""
    borrows: Mapping[int, bool]
    """Whether calls use what a proxy stands for without a reference of their own, by the same."""

    def of(self, place: int) -> tuple[int, int]:
        """The allocation behind a proxy (0: no proxy), and whether a call borrows it."""
        line = self.lines.get(place)
        flag = RUNNING_BORROWS if self.borrows.get(place) else 0
        return (0 if line is None else int(self.counts.addresses[line])), flag


def _add_running(tid: int, call: SeenRunning, used: _Used, origin: str, found: _Found) -> None:
    """A row for a synchronous call, and one for each of its arguments that is a proxy."""
    address, borrows = used.of(call.own)
    ends = RUNNING_BORROWS if call.ends else 0
    uses = [(call.method, call.status, address, tid | borrows | ends)]
    for place in call.arguments:
        address, borrows = used.of(place)
        uses += (
            [(f"{call.method}, argument", place, address, tid | borrows | RUNNING_ARGUMENT)]
            if address
            else []
        )
    for name, place, address, data in uses:
        columns = (np.array([number], np.uint64) for number in (place, data, address))
        found.add(SeenType(name, origin, Kind.UNIFFI_RUNNING.word), *columns)


class _Search:
    """Searches for the instances of the classes that are followed; each call is one search."""

    def __init__(
        self,
        objects: Objects,
        heap: Heap,
        bindings: Bindings,
        classes: Classes,
        wanted: Addresses,
        found: _Found,
    ) -> None:
        """``wanted``: the classes. A search notes its omissions in ``found``."""
        self._objects, self._heap, self._bindings, self._classes = objects, heap, bindings, classes
        self._wanted, self._found = wanted, found
        self.places = self.kinds = np.empty(0, np.uint64)
        """All instances that the newest search found, and the class of each."""

    def __call__(self) -> Held:
        """The handles of all proxies."""
        found = self._found
        self.places, self.kinds, doubtful = self._heap.instances(self._wanted)
        found.doubtful = frozenset(doubtful.tolist())
        found.without_handle = 0
        parts = [part for each in self._bindings.proxies for part in self._of_class(each)]
        columns = [[getattr(part, each.name) for part in parts] for each in fields(Held)]
        nothing = np.empty(0, np.uint64)
        return (
            Held(*map(np.concatenate, columns))
            if parts
            else Held(np.empty(0, np.int64), nothing, nothing, nothing, nothing)
        )

    def _of_class(self, each: SeenClass) -> Iterator[Held]:
        """The instances of one class and its subclasses."""
        own = np.array(
            [address for address, owner in self._bindings.owners.items() if owner is each],
            np.uint64,
        )
        of_class = np.isin(self.kinds, own)
        if not of_class.any():
            return
        places, kinds = self.places[of_class], self.kinds[of_class]
        rows, _ = self._classes.row_of(kinds)
        left = np.arange(len(places))
        for shape in each.shapes:
            kept = self._objects.attribute(
                places[left], self._classes.bodies, rows[left], (shape.handle_attribute,)
            )
            handles, is_handle = self._objects.numbers(kept)
            is_handle &= handles != 0
            chosen, handles = places[left[is_handle]], handles[is_handle]
            kind = np.full(len(chosen), self._found.line_of(_type_of(each, shape)), np.int64)
            yield Held(kind, chosen, handles, *_arcs_of(self._objects.memory, each, shape, handles))
            left = left[~is_handle]
        self._found.without_handle += len(left)


def _type_of(each: SeenClass, shape: Shape) -> SeenType:
    outer = "" if not each.is_trait else "arc" if shape.trait_is_counted else "box"
    return SeenType(
        each.name, each.origin, (Kind.UNIFFI_TRAIT if each.is_trait else Kind.UNIFFI).word, outer
    )


def _arcs_of(
    memory: OutsideMemory, each: SeenClass, shape: Shape, handles: Addresses
) -> tuple[Addresses, Addresses]:
    """The ``Arc`` right before each handle's object, and the outer ``Arc`` of a trait."""
    nothing = np.zeros(len(handles), np.uint64)
    if not shape.is_address:
        return nothing, nothing
    if not each.is_trait:
        return handles - np.uint64(SMALL), nothing
    return memory.words(handles), handles - np.uint64(SMALL) if shape.trait_is_counted else nothing


def _add_foreign(
    objects: Objects, bindings: Bindings, awaited: AwaitedCalls, found: _Found
) -> None:
    """Rows for the Python objects that Rust holds and the tasks that it awaits.

    Each entry of a map is a row.
    """
    maps, entries = bindings.map_entries()
    handles, is_handle = objects.numbers(entries.keys)
    kinds = objects.memory.words(entries.values + np.uint64(8))
    for number, each in enumerate(maps):
        of_map = is_handle & (entries.owners == number)
        if each.holds_tasks:
            _add_awaited(awaited, entries.values[of_map], handles[of_map], found)
            continue
        for kind in np.unique(kinds[of_map]).tolist():
            chosen = of_map & (kinds == np.uint64(kind))
            places = np.full(int(np.count_nonzero(chosen)), each.address, np.uint64)
            name, origin = bindings.name_of(kind)
            seen = SeenType(name or "object", origin, Kind.UNIFFI_FOREIGN.word)
            found.add(seen, places, handles[chosen], entries.values[chosen])


def _add_awaited(
    awaited: AwaitedCalls, entries: Addresses, handles: Addresses, found: _Found
) -> None:
    """Rows for Python calls that Rust awaits, with their method where it can be read."""
    for number, (entry, handle) in enumerate(zip(entries.tolist(), handles.tolist(), strict=True)):
        call = awaited.of(entry) if number < MOST_CALLS else None
        kind, address = AWAITED, 0
        if call is not None:
            kind, address = SeenType(call.name, call.origin, AWAITED.kind), call.address
            found.standing[entry] = call.stack
        columns = (np.array([each], np.uint64) for each in (entry, handle, address))
        found.add(kind, *columns)
    if len(entries) > MOST_CALLS:
        found.notes.append(
            f"{len(entries) - MOST_CALLS:,} Python calls that Rust awaits are listed without "
            f"their method: one look names {MOST_CALLS:,}"
        )


def _add_call(call: SeenCall, address: int, origin: str, found: _Found) -> None:
    """A row for a pending call; it holds the object at ``address``."""
    kind = SeenType(call.method or "a pending call", origin, Kind.UNIFFI_CALL.word)
    place, future, object_ = (
        np.array([number], np.uint64) for number in (call.place, call.future, address)
    )
    found.add(kind, place, future, object_)


def _only(names: set[str]) -> str:
    """The only name; ``""`` when there are several, or none."""
    return next(iter(names)) if len(names) == 1 else ""
