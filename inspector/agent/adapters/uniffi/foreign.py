"""Python objects that Rust holds: the entries of a generated module's handle maps.

A class-level ``_handle_map`` leads to each map: one a trait, or one for all callback interfaces. An
entry is one reference that Rust holds; an object lowered or cloned several times has several. A row
names the object's class, its place in memory (``id``, so that entries of one object share it) and
the handle. Python knows no count for it.

One more map holds the tasks that Rust awaits: such a row names the method that runs, and the place
of the object it is a method of.

The maps' class is hooked (``insert``, ``clone``, ``remove``); other users of that class, such as
pending async calls, pass through. Entries that came or went otherwise are found by ``reconcile``.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CoroutineType, FrameType, FunctionType
from typing import Any, Final, NamedTuple

from inspector.agent.adapters.recorder import Recorder
from inspector.agent.adapters.replaced import Replaced
from inspector.agent.faults import Faults
from inspector.agent.plain import instance_dict
from inspector.runtime.sites import SiteTable
from inspector.vocabulary import Kind, Reference
from inspector.wire.uniffi import CALLED, ENTRIES, FUTURES, HANDLE_MAP, MAKE_CALL

MOST_FRAMES: Final = 12
"""Frames from the hook to the generated callback, at most."""
MOST_AWAITS: Final = 32
"""Coroutines that await each other, at most."""
COUNTING_UP: Final = ("insert", "clone")
"""Methods that return the handle of a new entry."""


class Held(NamedTuple):
    """The facts in the row of an entry."""

    name: str
    origin: str
    address: int
    kind: Kind
    frames: Sequence[FrameType] = ()
    """The lines on which an awaited call waits, innermost first."""


class ForeignRows:
    """The rows of one generated module's handle maps.

    Calls come from any thread, as for ``ProxyRows``.
    """

    def __init__(self, namespace: Mapping[str, Any], recorder: Recorder, sites: SiteTable) -> None:
        """Finds the maps; looks at no entry."""
        self._futures = future_maps(namespace)
        self._maps = handle_maps(namespace) | self._futures
        self._recorder = recorder
        self._sites = sites
        self._rows: dict[tuple[int, int], int] = {}
        """Row of each entry; 0: there was no room; negative: a thread makes the row just now."""
        self._tickets = itertools.count(1)
        self._types: dict[tuple[str, str, Kind], int] = {}
        self._is_followed = True

    def __contains__(self, row: int) -> bool:
        """Whether the row is of an entry that is there."""
        return row > 0 and row in self._rows.values()

    def entry(self, row: int) -> Any:
        """The Python object (or the task) of a row; ``None`` when it went."""
        key = next((key for key, known in list(self._rows.items()) if known == row), None)
        return None if key is None else entries(self._maps[key[0]]).get(key[1])

    def held(self) -> list[tuple[tuple[int, int], Any, int]]:
        """The Python objects that Rust holds now, without tasks.

        Each has its place, its handle, the object, and its row (0: no row yet).
        """
        found = []
        for place, handle_map in self._maps.items():
            if place not in self._futures:
                found += [
                    ((place, handle), thing, max(0, self._rows.get((place, handle), 0)))
                    for handle, thing in entries(handle_map).items()
                ]
        return found

    def row_of(self, thing: Any) -> int:
        """A row of a Python object that Rust holds; 0 when it has none."""
        return next((row for _, held, row in self.held() if held is thing), 0)

    def places(self) -> dict[int, str]:
        """``id`` of each dict that keeps entries, and its name."""
        found = {}
        for place, handle_map in self._maps.items():
            name = (
                "a task that Rust awaits"
                if place in self._futures
                else "a callback in a UniFFI handle map"
            )
            found[id(_entries(handle_map))] = name
        return found

    @property
    def map_classes(self) -> set[type]:
        """Classes of the maps."""
        return {type(handle_map) for handle_map in self._maps.values()}

    def born(self, handle_map: Any, handle: int) -> None:
        """Rust was given a reference now, on this thread."""
        key = id(handle_map), handle
        if key[0] not in self._maps or key in self._rows or not self._recorder.level():
            return
        held = self._described(key[0], entries(handle_map).get(handle))
        type_index = self._type_index(held)
        site = self._recorder.site(self._sites, type_index)
        self._keep(key, lambda: self._recorder.add(type_index, held.address, handle, site))
        if not self._is_followed:
            self.clear()  # a detach on another thread came between

    def gone(self, handle_map: Any, handle: int) -> None:
        """Rust gave a reference back."""
        row = self._rows.pop((id(handle_map), handle), None)
        if row is not None:
            self._recorder.end(row, Reference.RELEASED)

    def reconcile(self) -> int:
        """Rows for entries without a row, and an end to rows without an entry.

        Returns the number of entries.
        """
        if not self._is_followed or not self._recorder.level():
            return 0
        known = list(self._rows)
        present = {
            (key, handle): held
            for key, handle_map in self._maps.items()
            for handle, held in entries(handle_map).items()
        }
        for gone in set(known) - present.keys():
            self.gone(self._maps[gone[0]], gone[1])
        for fresh in present.keys() - self._rows.keys():
            held = self._described(fresh[0], present[fresh])
            self._keep(fresh, functools.partial(self._adopted, held, fresh[1]))
        return len(present)

    def _adopted(self, held: Held, handle: int) -> int:
        """A row whose birth is unknown."""
        if held.kind == Kind.UNIFFI_FUTURE:
            site = self._sites.of_frames(held.frames)
            return self._recorder.add_standing(self._type_index(held), held.address, handle, site)
        return self._recorder.adopt(self._type_index(held), [held.address], [handle])[0]

    def _keep(self, key: tuple[int, int], make: Callable[[], int]) -> None:
        """Make the row of an entry, unless another thread has made it or is about to.

        The entry is in the map before its hook runs, so a look of the worker may meet it first.
        """
        ticket = -next(self._tickets)
        if self._rows.setdefault(key, ticket) != ticket:
            return
        row = make()
        if self._rows.get(key) == ticket:
            self._rows[key] = row
        else:  # the entry is gone by now
            self._recorder.end(row, Reference.RELEASED)

    def is_behind(self) -> bool:
        """Whether there are more or fewer entries than rows. Cheap."""
        return sum(len(_entries(handle_map)) for handle_map in self._maps.values()) != len(
            self._rows
        )

    def clear(self) -> None:
        """Follow the maps no longer: forget all rows, without a trace in the table."""
        self._is_followed = False
        if self._rows:
            for type_index in self._types.values():
                self._recorder.clear(type_index)
        self._rows.clear()

    def _described(self, map_id: int, held: Any) -> Held:
        """The facts for the row of an entry."""
        if map_id in self._futures:
            return (
                awaited_call(sys._getframe(1), MOST_FRAMES)
                or awaited_task(held)
                or Held("awaited by Rust", "", 0, Kind.UNIFFI_FUTURE)
            )
        cls = type(held)
        return Held(plain_name(cls), cls.__module__, id(held), Kind.UNIFFI_FOREIGN)

    def _type_index(self, held: Held) -> int:
        """The type of an entry."""
        key = held.name, held.origin, held.kind
        if key not in self._types:
            self._types[key] = self._recorder.type_index(
                name=held.name, origin=held.origin, kind=held.kind
            )
        return self._types[key]


class ForeignHooks:
    """The hooks of one module's handle-map classes."""

    def __init__(self, rows: ForeignRows, faults: Faults) -> None:
        """Sets nothing yet."""
        self._rows = rows
        self._faults = faults
        self._is_active = True
        self._replaced = Replaced()

    def set(self) -> None:
        """Replace the methods that add and remove entries."""
        for map_class in self._rows.map_classes:
            own = vars(map_class)
            for name in COUNTING_UP:
                if name in own:
                    self._replaced.replace(map_class, name, self._adding(own[name]))
            if "remove" in own:
                self._replaced.replace(map_class, "remove", self._removing(own["remove"]))

    def undo(self) -> None:
        """Leave the classes as they were."""
        self._is_active = False
        self._replaced.undo()

    def _adding(self, original: Callable[[Any, Any], int]) -> Callable[[Any, Any], int]:
        """``insert`` and ``clone``."""

        @functools.wraps(original)
        def adding(handle_map: Any, subject: Any) -> int:
            handle = original(handle_map, subject)
            self._observe(self._rows.born, handle_map, handle)
            return handle

        return adding

    def _removing(self, original: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
        """``remove``."""

        @functools.wraps(original)
        def remove(handle_map: Any, handle: int) -> Any:
            held = original(handle_map, handle)
            self._observe(self._rows.gone, handle_map, handle)
            return held

        return remove

    def _observe(self, what: Callable[[Any, int], None], handle_map: Any, handle: int) -> None:
        """Note a change; an exception stays here."""
        if self._is_active:
            try:
                what(handle_map, handle)
            except Exception as error:  # a call of the program must not fail because of the tool
                self._faults.add(error)


def future_maps(namespace: Mapping[str, Any]) -> dict[int, Any]:
    """The map of tasks that Rust awaits, by ``id``; empty in generations that have none."""
    return {id(found): found for name in FUTURES if _is_map(found := namespace.get(name))}


def awaited_call(innermost: FrameType, most_frames: int) -> Held | None:
    """Which method of which Python object Rust is about to await.

    ``None`` when no generated callback is on the stack.
    """
    frame: FrameType | None = innermost
    for _ in range(most_frames):
        if frame is None:
            return None
        if CALLED in frame.f_code.co_varnames or CALLED in frame.f_code.co_cellvars:
            called = frame.f_locals.get(CALLED)
            name = f"{plain_name(type(called))}.{frame.f_code.co_name}"
            return Held(name, type(called).__module__, id(called), Kind.UNIFFI_FUTURE)
        frame = frame.f_back
    return None


def awaited_task(entry: Any) -> Held | None:
    """The object and method that run in an entry of the map of tasks; ``None`` when unknown.

    An entry is a task, or a future of another thread with the task in its callbacks; the task's
    coroutine makes the call.
    """
    for task in _tasks_of(entry):
        coroutine = task.get_coro()
        frame = getattr(coroutine, "cr_frame", None)
        make_call = frame.f_locals.get(MAKE_CALL) if frame is not None else None
        if type(make_call) is FunctionType:
            called = cells_of(make_call).get(CALLED)
            name = f"{plain_name(type(called))}.{method_of(make_call)}"
            return (
                None
                if called is None
                else Held(
                    name,
                    type(called).__module__,
                    id(called),
                    Kind.UNIFFI_FUTURE,
                    standing(coroutine.cr_await),
                )
            )
    return None


def standing(awaited: Any) -> list[FrameType]:
    """The frames of a coroutine that waits, and of the coroutines that it awaits, innermost first.

    None where one of them runs now or has not begun.
    """
    frames: list[FrameType] = []
    while type(awaited) is CoroutineType and len(frames) < MOST_AWAITS:
        if awaited.cr_frame is None or awaited.cr_await is None:
            return []
        frames.insert(0, awaited.cr_frame)
        awaited = awaited.cr_await
    return frames


def _tasks_of(entry: Any) -> Iterator[Any]:
    """The tasks of an entry; attributes of the program's objects are read as they stand."""
    task_class = getattr(sys.modules.get("asyncio"), "Task", None)
    for part in entry if type(entry) is tuple else (entry,):
        if type(part) is task_class:
            yield part
        callbacks = (instance_dict(part) or {}).get("_done_callbacks")
        for callback in list(callbacks) if type(callbacks) is list else ():
            if type(callback) is FunctionType:
                yield from (
                    thing for thing in cells_of(callback).values() if type(thing) is task_class
                )


def cells_of(function: FunctionType) -> dict[str, Any]:
    """The variables that a function has from the function around it."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        with contextlib.suppress(ValueError):  # not set yet
            found[name] = cell.cell_contents
    return found


def method_of(make_call: FunctionType) -> str:
    """The method that a generated callback calls, by the function in it that calls."""
    return make_call.__qualname__.partition(".<locals>")[0].rpartition(".")[2]


def handle_maps(namespace: Mapping[str, Any]) -> dict[int, Any]:
    """The handle maps of a generated module by ``id``.

    Empty maps are falsy, so none is tested for truth.
    """
    maps = (
        vars(value).get(HANDLE_MAP) for value in list(namespace.values()) if isinstance(value, type)
    )
    return {id(found): found for found in maps if _is_map(found)}


def entries(handle_map: Any) -> dict[int, Any]:
    """A copy of a map's entries.

    Made in one step of the interpreter, without the map's lock: a target must not wait for the
    tool.
    """
    return _entries(handle_map).copy()


def _entries(handle_map: Any) -> dict[int, Any]:
    """A map's entries themselves."""
    own = vars(handle_map)
    found: dict[int, Any] = next(own[name] for name in ENTRIES if name in own)
    return found


def plain_name(cls: type) -> str:
    """A class's name without the functions that it was defined in."""
    return cls.__qualname__.rpartition("<locals>.")[2]


def _is_map(found: Any) -> bool:
    """Whether this is built as a handle map, of any generation."""
    own = getattr(found, "__dict__", {})
    return callable(getattr(type(found), "insert", None)) and any(
        type(own.get(name)) is dict for name in ENTRIES
    )
