"""Synchronous calls that have not returned.

Each is a frame of a generated method, on some thread, inside the library's function.

Methods are not hooked, so calls are found on the stacks of the threads, now and then: a call that
two looks meet gets a row. Shorter calls are not worth a row: the sampled counts show them. A
further row stands for each argument that is a proxy, which the call uses as well. The rows end when
the call does, which its status block shows: generated code makes a block for each call. A frame
does not show it: the next call on the thread may have the same frame. Rows name the method, and the
line of the program that called it.

The worker thread looks; calls end on their own threads.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import FrameType, FunctionType
from typing import Any, Final, NamedTuple

from inspector.agent.adapters.recorder import Recorder
from inspector.runtime.sites import SiteTable
from inspector.vocabulary import Kind, Level, Reference
from inspector.wire.schema import RUNNING_ARGUMENT, RUNNING_BORROWS, SITE_FRAMES
from inspector.wire.uniffi import CALL_STATUS, FINALISER, LIBRARY_CALLS, SYNCHRONOUS_CALLS, Shape

RESULT: Final = "result"
"""The local that the function has once the library has returned."""


class Running(NamedTuple):
    """A call that one look met."""

    status: Any
    """The status block, by its weak reference."""
    rows: tuple[int, ...]
    """Empty: it was met once."""


class RunningRows:
    """The rows of one generated module's synchronous calls."""

    def __init__(
        self,
        namespace: Mapping[str, Any],
        recorder: Recorder,
        sites: SiteTable,
        address_of: Callable[[Any], int],
        *,
        shape: Shape,
        is_late: bool,
    ) -> None:
        """``address_of`` gives the allocation behind a proxy, 0 for anything else.

        ``is_late``: the module was imported before the agent came, so calls may be older than that.
        """
        self._helpers = {
            found.__code__
            for name in (*SYNCHRONOUS_CALLS, *LIBRARY_CALLS)
            if isinstance(found := namespace.get(name), FunctionType)
        }
        self.callers = {
            found.__code__
            for name in LIBRARY_CALLS
            if isinstance(found := namespace.get(name), FunctionType)
        }
        """Code of the function that calls the library."""
        self._origin = str(namespace.get("__name__", ""))
        self._recorder, self._sites, self._address_of = recorder, sites, address_of
        self._left_out = {shape.clone_name, shape.make_name}
        self._borrows = shape.clone_name is None
        self._met: dict[int, Running] = {}
        self._types: dict[str, int] = {}
        self._is_late = is_late

    def __contains__(self, row: int) -> bool:
        """Whether the row is of a call that runs."""
        return row > 0 and any(row in met.rows for met in list(self._met.values()))

    def look(self, found: Sequence[tuple[int, FrameType]]) -> None:
        """Rows for calls that were met before.

        ``found``: number of the thread, and the frame of the function that calls the library.
        """
        is_adopted, self._is_late = self._is_late, False
        for thread, frame in found:
            status = frame.f_locals.get(CALL_STATUS)
            if status is None or RESULT in frame.f_locals:
                continue
            key = id(status)
            if key not in self._met:
                self._met[key] = Running(
                    weakref.ref(status, functools.partial(self._ended, key)),
                    (-1,) if is_adopted else (),
                )
            elif self._met[key].rows in ((), (-1,)):
                is_old = bool(self._met[key].rows)
                self._met[key] = self._met[key]._replace(
                    rows=self._rows_of(thread, frame, is_old=is_old)
                )

    def clear(self) -> None:
        """Follow the calls no longer: forget all rows, without a trace in the table."""
        self._met.clear()
        for type_index in self._types.values():
            self._recorder.clear(type_index)

    def _ended(self, key: int, status: Any) -> None:
        """A call returned."""
        met = self._met.get(key)
        if met is not None and met.status is status:
            del self._met[key]
            for row in met.rows:
                self._recorder.end(row, Reference.RELEASED)

    def _rows_of(self, thread: int, caller: FrameType, *, is_old: bool) -> tuple[int, ...]:
        """The rows of one call; ``(0,)``: it is none of the program's."""
        method: FrameType | None = caller
        while method is not None and method.f_code in self._helpers:
            method = method.f_back
        if (
            method is None
            or method.f_code.co_name in self._left_out
            or method.f_code.co_qualname.startswith("_")
        ):
            return (0,)
        borrows = self._borrows or method.f_code.co_name == FINALISER
        flags = thread | (RUNNING_BORROWS if borrows else 0)
        first, *others = used_objects(method, self._address_of)
        name = method.f_code.co_qualname
        add = functools.partial(self._add, method.f_back, is_old=is_old)
        return (
            add(name, first, flags),
            *(add(f"{name}, argument", each, flags | RUNNING_ARGUMENT) for each in others),
        )

    def _add(
        self, frame: FrameType | None, name: str, address: int, data: int, *, is_old: bool
    ) -> int:
        """Adds a row; ``is_old``: the call began before the agent came."""
        if name not in self._types:
            self._types[name] = self._recorder.type_index(
                name=name, origin=self._origin, kind=Kind.UNIFFI_RUNNING
            )
        type_index = self._types[name]
        if is_old:
            return self._recorder.adopt(type_index, [address], [data])[0]
        is_told = self._recorder.type_level(type_index) >= Level.HISTORY
        site = self._sites.of(frame, SITE_FRAMES) if is_told else 0
        return self._recorder.add(type_index, address, data, site)


def used_objects(method: FrameType, address_of: Callable[[Any], int]) -> tuple[int, ...]:
    """Allocations that a generated method uses: its object's (0: none) and its arguments'."""
    code, values = method.f_code, method.f_locals
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    own = address_of(values.get(names[0])) if names[:1] == ("self",) else 0
    return (
        own,
        *(
            address
            for name in names[names[:1] == ("self",) :]
            if (address := address_of(values.get(name)))
        ),
    )
