"""How proxies of a generated class close: as a declaration says that names the method.

UniFFI generates no method that is known to close, so a class opts in. Its rows stay UniFFI's, with
their counts; what is added is the state of the resource. It is *open* from the birth that a hook
saw, *closing* while the method runs or is awaited, then *closed*, or *close failed* when the method
raised. Of a proxy that was made before anybody looked it is not known whether it was closed, unless
the declaration says ``released``. Methods are called on the program's threads; everything else runs
on the worker's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CoroutineType, FunctionType
from typing import Any, Final, Protocol

from inspector.agent.adapters.loops import (
    UNBEGUN,
    Ending,
    LoopCall,
    give_up,
    is_coroutine_function,
    loop_trouble,
    running_loops,
    take_back,
)
from inspector.agent.adapters.protocol import CloseVerdict, CloseWish
from inspector.agent.adapters.replaced import Replaced
from inspector.agent.adapters.uniffi.closed_uses import UniffiUses, UsedRows
from inspector.agent.faults import Faults
from inspector.agent.plain import in_class
from inspector.errors import InspectorError
from inspector.vocabulary import Resource
from inspector.wire.declarations import Declaration

CO_VARKEYWORDS: Final = 0x08
"""Flag of functions that take any keyword, as ``inspect`` has it."""
UNDER_WAY: Final = (Resource.CLOSE_REQUESTED, Resource.CLOSING)


def call_trouble(function: FunctionType, given: frozenset[str]) -> str:
    """Why a method cannot be called with these keywords alone; ``""`` when it can.

    Reads its code, calls nothing.
    """
    code = function.__code__
    positional = code.co_varnames[1 : code.co_argcount]
    only_positional = code.co_varnames[1 : code.co_posonlyargcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    with_default = {
        *positional[len(positional) - len(function.__defaults__ or ()) :],
        *(function.__kwdefaults__ or ()),
    }
    named = given.difference(only_positional)
    missing = [
        name for name in (*positional, *keywords) if name not in with_default and name not in named
    ]
    unknown = (
        sorted(given.difference(positional, keywords)) if not code.co_flags & CO_VARKEYWORDS else []
    )
    if missing:
        place = (
            " by position"
            if missing[0] in only_positional
            else (", which close_with does not give")
        )
        return f"{function.__name__} needs the argument {missing[0]}{place}"
    return f"{function.__name__} has no argument {unknown[0]}" if unknown else ""


class ClosableRows(UsedRows, Protocol):
    """The rows of one class, as far as its closing needs them."""

    closing: Closing | None

    def set_closing(self, closing: Closing | None) -> None:
        """Close the class's rows in this way, or no longer."""

    def __len__(self) -> int:
        """Number of rows."""


class Closing:
    """The closing of one class."""

    name: Final = "uniffi"
    """The adapter whose rows these are."""

    def __init__(self, rows: ClosableRows, declaration: Declaration, faults: Faults) -> None:
        """Raises ``InspectorError`` when the class cannot be closed in this way.

        Sets nothing yet.
        """
        self.declaration = declaration
        self._rows = rows
        self._faults = faults
        self._replaced = Replaced()
        self._is_active = True
        self._calls: list[LoopCall] = []
        self._methods = {
            name: self._method(name)
            for name in dict.fromkeys((declaration.close, *declaration.watch))
            if name
        }
        refusal = self._refusal()
        if refusal:
            raise InspectorError(refusal)
        self.is_awaited = is_coroutine_function(self._methods[declaration.close])
        codes = [method.__code__ for method in self._methods.values()]
        self.uses = UniffiUses(rows, codes, faults)

    def __len__(self) -> int:
        """Rows that live."""
        return len(self._rows)

    def set(self) -> None:
        """Hook the methods and have the class's rows close from now on."""
        cls, declared = self._rows.proxy_class.cls, self.declaration
        for name, method in self._methods.items():
            is_close = name == declared.close
            hook = (
                self._awaited(method, is_close)
                if is_coroutine_function(method)
                else self._called(method, is_close)
            )
            self._replaced.replace(cls, name, hook)
        self._rows.set_closing(self)

    def undo(self) -> None:
        """Leave the class as it was; its rows close no longer."""
        self._is_active = False
        self.uses.undo()
        self._replaced.undo()
        if self._rows.closing is self:
            self._rows.set_closing(None)

    def look(self) -> None:
        """End the closes whose loop has ended, or whose deadline has passed. Worker thread."""
        for call in self._calls:
            call.look()
        self._calls = [call for call in self._calls if not call.is_over]

    def take_back(self, row: int) -> str | None:
        """As ``AwaitsCloses`` says."""
        return take_back(self._calls, row)

    def awaited(self) -> list[list[float | None]]:
        """The closes that viewers asked for and that have not ended, each as ``LoopCall.told``."""
        return [call.told() for call in self._calls if not call.is_over]

    def settle(self, proxy: Any) -> None:
        """Find out whether a proxy made before the first look was closed.

        ``released`` is the only source.
        """
        if self._rows.native.resource(id(proxy)) == Resource.UNKNOWN:
            self._set(proxy, Resource.UNKNOWN)

    def close(self, proxy: Any, wish: CloseWish, holders: tuple[str, ...]) -> CloseVerdict:
        """Call the method, or say what that would do. Raises what the program's method raises."""
        declared = self.declaration
        state = self._rows.native.resource(id(proxy))
        loops = running_loops() if self.is_awaited else []
        trouble = loop_trouble(declared.close, loops) if self.is_awaited else ""
        if state in UNDER_WAY:
            return CloseVerdict(
                "pending",
                (f"{declared.close_signature} was asked for before and has not ended"),
                holders,
            )
        if state == Resource.CLOSED:
            return CloseVerdict("refused", "it is closed already", holders)
        if declared.owner_closes:
            trouble = "only the thread that made it may close it, and nothing can be run there"
        if holders and not wish.although_held and not wish.is_preview:
            trouble = trouble or f"still held by {', '.join(holders)}"
        if trouble:
            return CloseVerdict("refused", trouble, holders)
        if wish.is_preview and self.is_awaited:
            return CloseVerdict(
                "would_wait",
                (f"{declared.close_signature} would run on the program's event loop"),
                holders,
            )
        if wish.is_preview:
            return CloseVerdict("would_close", "", holders)
        if self.is_awaited:
            return self._close_later(proxy, loops[0], self._caller(proxy), wish, holders)
        return self._close_now(proxy, wish, holders)

    def _close_now(self, proxy: Any, wish: CloseWish, holders: tuple[str, ...]) -> CloseVerdict:
        declared = self.declaration
        result = self._caller(proxy)()
        # a plain function that returns one: earlier generations write such methods
        if type(result) is CoroutineType:
            loops = running_loops()
            trouble = loop_trouble(declared.close, loops)
            if trouble:
                give_up(result)
                return CloseVerdict("refused", trouble, holders)
            return self._close_later(proxy, loops[0], lambda: result, wish, holders, made=result)
        if self._rows.native.resource(id(proxy)) != Resource.CLOSED:
            return CloseVerdict(
                "pending",
                (f"{declared.close_signature} has returned, and it is not released yet"),
                holders,
            )
        return CloseVerdict("closed", "", holders)

    def _close_later(
        self,
        proxy: Any,
        loop: Any,
        call: Callable[[], Any],
        wish: CloseWish,
        holders: tuple[str, ...],
        *,
        made: object = None,
    ) -> CloseVerdict:
        """Have the program's event loop make the call, or await the coroutine that was ``made``."""
        declared, before = self.declaration, self._rows.native.resource(id(proxy))
        ended = functools.partial(self._ended, proxy, made, Resource(before))
        row = self._rows.native.row(id(proxy))
        asked = LoopCall(loop, call, ended, row=row, within_secs=wish.withdraw_after_secs)
        self._rows.native.set_resource(id(proxy), Resource.CLOSE_REQUESTED)
        if not asked.start():
            give_up(made)
            self._rows.native.set_resource(id(proxy), before)
            return CloseVerdict(
                "refused",
                (f"{declared.close} is a coroutine, and its event loop has ended"),
                holders,
            )
        self._calls.append(asked)
        within = (
            ""
            if wish.withdraw_after_secs is None
            else (f"; it is withdrawn unless it has ended in {wish.withdraw_after_secs:g} s")
        )
        return CloseVerdict(
            "pending",
            (f"{declared.close_signature} runs on the program's event loop{within}"),
            holders,
        )

    def _ended(
        self,
        proxy: Any,
        made: object,
        before: Resource,
        ending: Ending,
        error: BaseException | None,
    ) -> None:
        """A close that the inspector asked for has ended. The loop's thread or the worker's."""
        if ending in UNBEGUN:
            give_up(made)
            self._rows.native.set_resource(id(proxy), before)
        elif ending is Ending.ABANDONED:
            self._set(proxy, Resource.UNKNOWN)
        if ending not in (Ending.RAN, Ending.TAKEN_BACK):
            why = f": {type(error).__name__}: {error}" if error is not None else ""
            declared = self.declaration
            self._faults.add(
                InspectorError(
                    f"{declared.close_signature} of "
                    f"{self._rows.proxy_class.name}: {ending.value}{why}"
                )
            )

    def _caller(self, proxy: Any) -> Callable[[], Any]:
        declared = self.declaration
        return lambda: getattr(proxy, declared.close)(**declared.close_with)

    def _method(self, name: str) -> FunctionType:
        method = in_class(self._rows.proxy_class.cls, name)
        if type(method) is not FunctionType:
            raise InspectorError(f"it has no method {name}")
        return method

    def _refusal(self) -> str:
        """Why the class cannot be closed as declared; ``""`` when it can."""
        declared = self.declaration
        if not declared.close:
            return (
                "UniFFI follows it already: a declaration of it adds how it closes, and close "
                "is missing"
            )
        if declared.library:
            return (
                "UniFFI follows it already: library, creates, clones and frees are for "
                "other classes"
            )
        return call_trouble(self._methods[declared.close], frozenset(declared.close_with))

    # the hooks: on the program's threads ----------------------------------------------------------

    def _called(self, original: FunctionType, is_close: bool) -> Callable[..., Any]:
        """Stands in the place of a plain method."""
        good, bad = _outcomes(is_close)

        @functools.wraps(original)
        def method(proxy: Any, /, *args: Any, **kwargs: Any) -> Any:
            try:
                result = original(proxy, *args, **kwargs)
            except Exception:
                self._tell(proxy, bad)
                raise
            if type(result) is CoroutineType:
                return self._followed(proxy, result, is_close)
            self._tell(proxy, good)
            return result

        return method

    def _awaited(self, original: FunctionType, is_close: bool) -> Callable[..., Any]:
        """Stands in the place of a coroutine function, and is one."""

        @functools.wraps(original)
        async def method(proxy: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await self._followed(proxy, original(proxy, *args, **kwargs), is_close)

        return method

    async def _followed(self, proxy: Any, coroutine: Any, is_close: bool) -> Any:
        """Awaits what a method made, and tells how that began and ended."""
        good, bad = _outcomes(is_close)
        if is_close:
            self._tell(proxy, Resource.CLOSING, asks=False)
        try:
            result = await coroutine
        except Exception:
            self._tell(proxy, bad)
            raise
        except BaseException:  # cancelled, or thrown away half-way
            self._tell(proxy, Resource.UNKNOWN if is_close else None)
            raise
        self._tell(proxy, good)
        return result

    def _tell(self, proxy: Any, state: Resource | None, *, asks: bool = True) -> None:
        """A method of the program began or ended; the program must not fail because of the tool."""
        if not self._is_active:
            return
        try:
            if asks:
                self._set(proxy, state)
            elif state is not None:
                self._rows.native.set_resource(id(proxy), state)
        except Exception as error:  # kept for the worker, which reports it
            self._faults.add(error)

    def _set(self, proxy: Any, state: Resource | None) -> None:
        """The state of a resource: the answer of ``released``, else ``state``.

        ``None``: as it was.
        """
        released = self.declaration.released
        if released is not None:
            state = Resource.CLOSED if released.holds(proxy) else _unreleased(state)
        if state is not None:
            self._rows.native.set_resource(id(proxy), state)
            self.uses.changed(proxy, state)


def _outcomes(is_close: bool) -> tuple[Resource, Resource | None]:
    """The state after a method that ended well, and after one that raised."""
    return (Resource.CLOSED, Resource.CLOSE_FAILED) if is_close else (Resource.OPEN, None)


def _unreleased(state: Resource | None) -> Resource:
    """The state of what says itself that it is not released."""
    return Resource.CLOSE_FAILED if state == Resource.CLOSE_FAILED else Resource.OPEN
