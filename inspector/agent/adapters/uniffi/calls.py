"""Asynchronous calls that have not ended.

Each is a coroutine of the generated ``_uniffi_rust_call_async``.

Such a call holds a clone of the object it was made on until its future is freed. Its row names the
method, has the object's allocation as its address, and the future's handle. It ends when its
coroutine is destroyed, finished or not; a clone that stays after that shows in the object's own
count. If the future was made by a function, the address is 0.

The module's global function is replaced while attached. Calls come from any thread.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import FrameType, FunctionType
from typing import Any, Final

from inspector.agent.adapters.recorder import Recorder
from inspector.agent.faults import Faults
from inspector.runtime.sites import SiteTable
from inspector.vocabulary import Kind, Reference
from inspector.wire.schema import SITE_FRAMES
from inspector.wire.uniffi import CALL_NAME

CONTINUATIONS: Final = "_UniffiContinuationHandleMap"
"""What a generated module calls its map of calls that wait."""
FUTURE: Final = "rust_future"
"""The generated function's argument that is the future's handle."""


class CallRows:
    """The rows of one generated module's pending calls."""

    def __init__(
        self,
        namespace: dict[str, Any],
        recorder: Recorder,
        sites: SiteTable,
        address_of: Callable[[Any], int],
    ) -> None:
        """``address_of`` gives the allocation behind a proxy, 0 for anything else."""
        self.namespace = namespace
        found = namespace.get(CALL_NAME)
        self.function = found if isinstance(found, FunctionType) else None
        self._recorder = recorder
        self._sites = sites
        self._address_of = address_of
        self._rows: dict[int, tuple[int, weakref.ref[Any]]] = {}
        self._types: dict[str, int] = {}
        self._is_followed = True

    def __contains__(self, row: int) -> bool:
        """Whether the row is of a call that is pending."""
        return row > 0 and any(known == row for known, _ in list(self._rows.values()))

    def coroutine(self, row: int) -> Any:
        """The coroutine of a row; ``None`` when it went."""
        return next(
            (reference() for known, reference in list(self._rows.values()) if known == row), None
        )

    def born(
        self, coroutine: Coroutine[Any, Any, Any], future: int, caller: FrameType | None
    ) -> None:
        """Record a call that the generated method of frame ``caller`` makes on this thread."""
        if not self._recorder.level():
            return
        name, address = self._made_on(caller)
        type_index = self._type_index(name)
        site = self._recorder.site(self._sites, type_index)
        self._keep(coroutine, self._recorder.add(type_index, address, future, site))

    def are_pending(self) -> bool:
        """Whether there may be calls. Cheap.

        Each waiting call has an entry in the module's map of continuations.
        """
        continuations = self.namespace.get(CONTINUATIONS)
        return (
            self.function is not None
            and bool(self._recorder.level())
            and (continuations is None or len(continuations) > 0)
        )

    def adopt(self, coroutines: Sequence[Any]) -> int:
        """Rows for calls among these without a row; returns the number of known calls.

        ``coroutines`` are all coroutines of the program.
        """
        pending = [
            each
            for each in coroutines
            if self.function is not None and each.cr_code is self.function.__code__
        ]
        outer = {id(each.cr_await): each for each in coroutines} if pending else {}
        for coroutine in pending:
            if id(coroutine) not in self._rows and coroutine.cr_frame is not None:
                method = outer.get(id(coroutine))
                name, address = self._made_on(method.cr_frame if method is not None else None)
                future = coroutine.cr_frame.f_locals.get(FUTURE) or 0
                site = self._sites.of_frames(_awaiting(coroutine, outer))
                self._keep(
                    coroutine,
                    self._recorder.add_standing(self._type_index(name), address, future, site),
                )
        return len(self._rows)

    def clear(self) -> None:
        """Follow the calls no longer: forget all rows, without a trace in the table."""
        self._is_followed = False
        self._rows.clear()
        for type_index in self._types.values():
            self._recorder.clear(type_index)

    def _keep(self, coroutine: Any, row: int) -> None:
        """Remember a row until its coroutine is destroyed."""
        key = id(coroutine)
        self._rows[key] = row, weakref.ref(coroutine, functools.partial(self._gone, key))
        if not self._is_followed:
            self.clear()  # a detach on another thread came between

    def _gone(self, key: int, reference: weakref.ref[Any]) -> None:
        """A coroutine went."""
        row, known = self._rows.get(key, (0, None))
        if known is reference:
            del self._rows[key]
            self._recorder.end(row, Reference.RELEASED)

    def _made_on(self, method: FrameType | None) -> tuple[str, int]:
        """Name of the method that made a call, and the allocation of the object it was made on."""
        if method is None:
            return "call", 0
        return method.f_code.co_qualname, self._address_of(method.f_locals.get("self"))

    def _type_index(self, name: str) -> int:
        """The type of a method's calls."""
        if name not in self._types:
            origin = str(self.namespace.get("__name__", ""))
            self._types[name] = self._recorder.type_index(
                name=name, origin=origin, kind=Kind.UNIFFI_CALL
            )
        return self._types[name]


def _awaiting(coroutine: Any, outer: Mapping[int, Any]) -> list[FrameType]:
    """The frames of the coroutines that await a call, innermost first: each waits at the call.

    ``outer``: the coroutine that awaits another, by ``id`` of the other.
    """
    frames: list[FrameType] = []
    while (awaits := outer.get(id(coroutine))) is not None and len(frames) < SITE_FRAMES:
        if awaits.cr_frame is not None:
            frames.append(awaits.cr_frame)
        coroutine = awaits
    return frames


class CallHooks:
    """The hook of one module's ``_uniffi_rust_call_async``."""

    def __init__(self, rows: CallRows, faults: Faults) -> None:
        """Sets nothing yet."""
        self._rows = rows
        self._faults = faults
        self._is_active = True
        self._hook: Callable[..., Any] | None = None

    def set(self) -> None:
        """Replace the module's function."""
        if self._rows.function is not None:
            self._hook = self._calling(self._rows.function)
            self._rows.namespace[CALL_NAME] = self._hook

    def undo(self) -> None:
        """Restore the function, unless another library replaced it meanwhile."""
        self._is_active = False
        if self._hook is not None and self._rows.namespace.get(CALL_NAME) is self._hook:
            self._rows.namespace[CALL_NAME] = self._rows.function

    def _calling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The stand-in for ``_uniffi_rust_call_async``; it returns the original's coroutine.

        It is not a coroutine function.
        """

        @functools.wraps(original)
        def call_async(rust_future: int, *args: Any, **kwargs: Any) -> Any:
            coroutine = original(rust_future, *args, **kwargs)
            if self._is_active:
                try:
                    self._rows.born(coroutine, rust_future, sys._getframe(1))
                # a call of the program must not fail because of the tool
                except Exception as error:
                    self._faults.add(error)
            return coroutine

        return call_async
