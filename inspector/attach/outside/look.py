"""One look at a process from outside: all that can be told without loading anything into it.

What cannot be looked at is a note, and the rest goes on. Takes as long as reading the process's memory three or four times. Any thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Final

import numpy as np

from inspector.attach import procfs
from inspector.attach.outside.calls import SeenCall, pending_calls
from inspector.attach.outside.counts import Counts, no_counts, object_counts, trait_counts
from inspector.attach.outside.heap import Classes, Heap
from inspector.attach.outside.memory import Addresses, OutsideError, OutsideMemory
from inspector.attach.outside.objects import Objects
from inspector.attach.outside.python import SeenPython, find_python
from inspector.attach.outside.seen import Look, SeenRows, SeenThread, SeenType, no_rows
from inspector.attach.outside.thread_names import thread_classes, thread_names
from inspector.attach.outside.threads import look_at_threads
from inspector.attach.outside.uniffi import Bindings, Metadata, SeenClass, components
from inspector.errors import AttachError
from inspector.wire.uniffi import Shape

AWAITED: Final = SeenType("awaited by Rust", "", "uniffi_future")
"""Which method runs in such a task is known from within only."""


def look(pid: int, *, with_objects: bool = True, with_stacks: bool = True, go_on: Callable[[], None] = lambda: None) -> Look:
    """Look at a process. ``go_on`` raises to give up. Raises ``OutsideError`` when the process is gone."""
    began = time.monotonic()
    threads, more, why = look_at_threads(pid, with_stacks=with_stacks)
    memory, notes, found = OutsideMemory(pid), [why] if why else [], _Found()
    try:
        if with_objects:
            python = find_python(pid)
            found.runtime = python.runtime
            _look_at_objects(memory, python, found, go_on)
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
        without_handle=found.without_handle,
        notes=(*notes, *found.notes),
    )


def _named(pid: int, thread: SeenThread, names: dict[int, str]) -> SeenThread:
    """With the name that the program gave it, where that is known."""
    return replace(thread, name=names.get(procfs.inner_tid(pid, thread.tid), thread.name))


@dataclass(slots=True)
class _Found:
    """What is found, as it comes."""

    runtime: str = ""
    is_whole: bool = True
    doubtful: frozenset[int] = frozenset()
    without_handle: int = 0
    notes: list[str] = field(default_factory=list)
    thread_names: dict[int, str] = field(default_factory=dict)
    types: list[SeenType] = field(default_factory=list)
    parts: list[SeenRows] = field(default_factory=list)

    def add(self, kind: SeenType, places: Addresses, handles: Addresses, counts: Counts) -> None:
        """Rows of one type."""
        if kind not in self.types:
            self.types.append(kind)
        types = np.full(len(places), self.types.index(kind), np.int64)
        columns = (counts.addresses, counts.strong, counts.weak, counts.outer, counts.in_flight)
        self.parts.append(SeenRows(types, places, handles, *columns))

    def rows(self) -> SeenRows:
        """All of them."""
        columns = [[getattr(part, each.name) for part in self.parts] for each in fields(SeenRows)]
        return SeenRows(*map(np.concatenate, columns)) if self.parts else no_rows()


def _look_at_objects(memory: OutsideMemory, python: SeenPython, found: _Found, go_on: Callable[[], None]) -> None:
    """Rows for all that lives."""
    objects = Objects(memory, python.layout, python.type_of_numbers)
    heap = Heap(memory, python.type_of_types, go_on)
    classes = heap.classes()
    bindings = Bindings(objects, classes, Metadata(memory.pid, objects))
    threads = thread_classes(objects, classes)
    wanted = np.array([*bindings.owners, *([python.type_of_coroutines] if bindings.owners else []), *threads.tolist()], np.uint64)
    places, kinds, doubtful = heap.instances(wanted[wanted != 0])
    found.doubtful = frozenset(doubtful.tolist())
    is_thread = np.isin(kinds, threads)
    found.thread_names = thread_names(objects, classes, places[is_thread], kinds[is_thread])
    proxies: dict[int, tuple[int, str]] = {}
    for each in bindings.proxies:
        of_class = np.isin(kinds, np.array([address for address, owner in bindings.owners.items() if owner is each], np.uint64))
        if of_class.any():
            proxies |= _add_proxies(objects, each, classes, places[of_class], kinds[of_class], found)
    _add_foreign(objects, bindings, found)
    if not python.layout.coroutine_frame:
        found.notes.append(f"pending calls are not looked for in {python.runtime}")
    for call in pending_calls(objects, places[kinds == np.uint64(python.type_of_coroutines)], proxies):
        _add_call(call, *proxies.get(call.proxy, (0, _only({each.origin for each in bindings.proxies}))), found)


def _add_proxies(
    objects: Objects, each: SeenClass, classes: Classes, places: Addresses, kinds: Addresses, found: _Found
) -> dict[int, tuple[int, str]]:
    """Rows for the instances of one class and what is derived from it; answers with allocation and origin of each."""
    rows, _ = classes.row_of(kinds)
    left = np.arange(len(places))
    proxies: dict[int, tuple[int, str]] = {}
    for shape in each.shapes:
        kept = objects.attribute(places[left], classes.bodies, rows[left], (shape.handle_attribute,))
        handles, is_handle = objects.numbers(kept)
        is_handle &= handles != 0
        chosen, handles = places[left[is_handle]], handles[is_handle]
        counts = _counts(objects.memory, each, shape, handles)
        found.add(_type_of(each, shape), chosen, handles, counts)
        proxies |= {place: (address, each.origin) for place, address in zip(chosen.tolist(), counts.addresses.tolist(), strict=True)}
        left = left[~is_handle]
    found.without_handle += len(left)
    return proxies


def _type_of(each: SeenClass, shape: Shape) -> SeenType:
    outer = "" if not each.is_trait else "arc" if shape.trait_is_counted else "box"
    return SeenType(each.name, each.origin, "uniffi_trait" if each.is_trait else "uniffi", outer)


def _counts(memory: OutsideMemory, each: SeenClass, shape: Shape, handles: Addresses) -> Counts:
    if not shape.is_address:
        return no_counts(np.zeros(len(handles), np.uint64))
    if each.is_trait:
        return trait_counts(memory, handles, is_counted=shape.trait_is_counted)
    return object_counts(memory, handles)


def _add_foreign(objects: Objects, bindings: Bindings, found: _Found) -> None:
    """Rows for the Python objects that Rust holds and the tasks that it awaits: one for each entry of a map."""
    maps, entries = bindings.map_entries()
    handles, is_handle = objects.numbers(entries.keys)
    kinds = objects.memory.words(entries.values + np.uint64(8))
    for number, each in enumerate(maps):
        of_map = is_handle & (entries.owners == number)
        for kind in np.unique(kinds[of_map]).tolist():
            chosen = of_map & (kinds == np.uint64(kind))
            places = np.full(int(np.count_nonzero(chosen)), each.address, np.uint64)
            if each.holds_tasks:
                found.add(AWAITED, places, handles[chosen], no_counts(np.zeros(len(places), np.uint64)))
            else:
                name, origin = bindings.name_of(kind)
                seen = SeenType(name or "object", origin, "uniffi_foreign")
                found.add(seen, places, handles[chosen], no_counts(entries.values[chosen]))


def _add_call(call: SeenCall, address: int, origin: str, found: _Found) -> None:
    """A row for a pending call; it holds the object at ``address``."""
    kind = SeenType(call.method or "a pending call", origin, "uniffi_call")
    place, future, object_ = (np.array([number], np.uint64) for number in (call.place, call.future, address))
    found.add(kind, place, future, no_counts(object_))


def _only(names: set[str]) -> str:
    """The only one; ``""`` when there are several, or none."""
    return next(iter(names)) if len(names) == 1 else ""
