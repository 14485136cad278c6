"""Uses of declared objects after their close.

At level *stacks* the public methods of a declared class are hooked, where its attributes can be
set: below, calls of methods cost nothing. A closer that ends the row of its object has closed it; a
later call of another method, from a line that is not the package's own, is a use after close.
Closers that are awaited, and methods of classes whose attributes cannot be set, are not seen. Calls
come from the program's threads.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CoroutineType, FrameType, FunctionType, MethodDescriptorType
from typing import Any, Final

from inspector.agent.adapters.closed_uses import ClosedUses
from inspector.agent.adapters.declared.hooks import is_mutable, static_attribute
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.adapters.loops import is_coroutine_function
from inspector.agent.adapters.replaced import Replaced
from inspector.agent.faults import Faults
from inspector.runtime.sites import SiteTable
from inspector.vocabulary import Level
from inspector.wire.declarations import Declaration
from inspector.wire.hooks import hooks
from inspector.wire.schema import SITE_FRAMES

MOST_METHODS: Final = 200
"""Methods of one class that are hooked."""
LEAVES: Final = "__exit__"
"""Closes where a ``with`` block ends."""


class DeclaredUses:
    """The hooks of one class, and the uses that they saw."""

    def __init__(
        self,
        cls: type,
        declaration: Declaration,
        rows: DeclaredRows,
        *,
        sites: SiteTable,
        faults: Faults,
    ) -> None:
        """Sets nothing yet."""
        self.seen = ClosedUses(declaration.name)
        self._cls, self._declaration, self._rows, self._sites = cls, declaration, rows, sites
        self._faults = faults
        self._replaced = Replaced()
        self._is_set = False

    def follow(self, level: int) -> None:
        """Set the hooks at *stacks*; undo them below."""
        is_wanted = level >= Level.STACKS and bool(self._declaration.close)
        if is_wanted and not self._is_set and is_mutable(self._cls):
            for name in self._closers():
                self._replace(name, self._closing)
            for name in self._methods():
                self._replace(name, self._using)
        elif not is_wanted and self._is_set:
            self._replaced.undo()
        self._is_set = is_wanted

    def undo(self) -> None:
        """Leave the class as it was."""
        self._replaced.undo()
        self._is_set = False
        self.seen.forget()

    def _closers(self) -> list[str]:
        names = (*self._declaration.closers, LEAVES)
        return [name for name in names if _is_method(static_attribute(self._cls, name))]

    def _methods(self) -> list[str]:
        """The public methods that neither close nor open.

        Methods that the declaration reads stay as they are: an ending instance is asked through
        them only where no Python code runs.
        """
        declared = self._declaration
        left_out = {*declared.closers, *declared.watch, *declared.read}
        names = dict.fromkeys(
            name for each in self._cls.__mro__ if each is not object for name in vars(each)
        )
        return [
            name
            for name in names
            if not name.startswith("_")
            and name not in left_out
            and _is_method(static_attribute(self._cls, name))
        ][:MOST_METHODS]

    def _replace(self, name: str, hook: Callable[[str, Any], Any]) -> None:
        method = getattr(self._cls, name)
        if not is_coroutine_function(method):
            self._replaced.replace(self._cls, name, hook(name, method))

    def _closing(self, name: str, method: Any) -> Any:
        @functools.wraps(method)
        def closer(proxy: Any, /, *args: Any, **kwargs: Any) -> Any:
            row = self._rows.row_of(proxy)
            result = method(proxy, *args, **kwargs)
            if row and type(result) is not CoroutineType:
                self._observe(self._closed, proxy, row, sys._getframe(1))
            return result

        return closer

    def _using(self, name: str, method: Any) -> Any:
        @functools.wraps(method)
        def use(proxy: Any, /, *args: Any, **kwargs: Any) -> Any:
            if self.seen.is_closed(id(proxy)):
                self._observe(self._used, proxy, name, sys._getframe(1))
            return method(proxy, *args, **kwargs)

        return use

    def _observe(self, what: Callable[..., None], *given: Any) -> None:
        """Note something; an exception stays here."""
        if self._is_set:
            try:
                what(*given)
            except Exception as error:  # a call of the program must not fail because of the tool
                self._faults.add(error)

    def _closed(self, proxy: Any, row: int, caller: FrameType) -> None:
        is_open = self._rows.observe(proxy)  # ``__exit__`` may close without the declared method
        if not is_open and not self.seen.is_closed(id(proxy)):
            site = self._sites.of(caller, SITE_FRAMES)
            self.seen.closed(proxy, key=id(proxy), row=row, site=site)

    def _used(self, proxy: Any, name: str, caller: FrameType) -> None:
        if self._rows.row_of(proxy):  # it is open again
            self.seen.opened(id(proxy))
        elif not self._sites.is_left_out(caller.f_globals) and self._sites.names_site(
            caller.f_code
        ):
            site = self._sites.of(caller, SITE_FRAMES)
            self.seen.used(id(proxy), f"{self._declaration.name}.{name}", row=0, site=site)


def _is_method(found: object) -> bool:
    """Whether an attribute of a class is a method, in Python, C or Cython, or a hook over one."""
    return type(found) in (FunctionType, MethodDescriptorType, hooks.Hook) or (
        type(found).__name__ == "cython_function_or_method"
    )
