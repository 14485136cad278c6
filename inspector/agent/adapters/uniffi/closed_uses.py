"""Uses of UniFFI's objects after their close, for classes that a declaration opts in.

Each method, and each call that is given the object, clones its handle first, so a hook on the
clone sees all uses. It is set from level *history* on. Generations whose calls borrow clone
nothing: their uses are not seen. Calls come from the program's threads.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Collection
from types import CodeType, FrameType
from typing import Any, Protocol

from inspector.agent.adapters.closed_uses import ClosedUses
from inspector.agent.adapters.replaced import Replaced
from inspector.agent.adapters.uniffi.proxies import ProxyClass
from inspector.agent.faults import Faults
from inspector.runtime.sites import SiteTable
from inspector.vocabulary import Level, Resource
from inspector.wire.schema import SITE_FRAMES


class UsedRows(Protocol):
    """The rows of one class, as far as the uses of its objects need them."""

    proxy_class: ProxyClass
    native: Any
    """The native table of the class's proxies."""
    sites: SiteTable

    def row_of(self, proxy: object) -> int:
        """The row of a live proxy; 0: none."""

    def address_of(self, proxy: Any) -> int:
        """The allocation behind a proxy; 0: not known."""


class UniffiUses:
    """The hook of one class, and the uses that it saw."""

    def __init__(self, rows: UsedRows, methods: Collection[CodeType], faults: Faults) -> None:
        """``methods``: code of the declared methods, which are no uses."""
        self.seen = ClosedUses(rows.proxy_class.name)
        self._rows, self._methods, self._faults = rows, frozenset(methods), faults
        self._replaced = Replaced()
        self._is_set = False

    def follow(self, level: int) -> None:
        """Set the hook at *history* and above; undo it below."""
        is_wanted = level >= Level.HISTORY and self._rows.proxy_class.shape.clone_name is not None
        if is_wanted and not self._is_set:
            cls, name = self._rows.proxy_class.cls, self._rows.proxy_class.shape.clone_name
            self._replaced.replace(cls, str(name), self._cloning(vars(cls)[str(name)]))
        elif not is_wanted:
            self._replaced.undo()
        self._is_set = is_wanted

    def undo(self) -> None:
        """Leave the class as it was."""
        self._replaced.undo()
        self._is_set = False
        self.seen.forget()

    def changed(self, proxy: Any, state: Resource) -> None:
        """The resource of a proxy's object has this state now, on this thread."""
        if not self._is_set:
            return
        key = self._key(proxy)
        if state == Resource.CLOSED and not self.seen.is_closed(key):
            site = self._rows.sites.of(sys._getframe(1), SITE_FRAMES)
            self.seen.closed(proxy, key=key, row=self._rows.row_of(proxy), site=site)
        elif state != Resource.CLOSED:
            self.seen.opened(key)

    def _cloning(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @functools.wraps(original)
        def clone(proxy: Any) -> Any:
            try:
                if self._rows.native.resource(id(proxy)) == Resource.CLOSED:
                    self._note(proxy, sys._getframe(1))
            except Exception as error:  # a call of the program must not fail because of the tool
                self._faults.add(error)
            return original(proxy)

        return clone

    def _note(self, proxy: Any, caller: FrameType) -> None:
        code = caller.f_code
        if code in self._methods or not self._is_set:
            return
        is_method = code.co_varnames[:1] == ("self",) and caller.f_locals.get("self") is proxy
        name = self._rows.proxy_class.name
        self.seen.used(
            self._key(proxy),
            f"{name}.{code.co_name}" if is_method else f"{name} as an argument",
            row=self._rows.row_of(proxy),
            site=self._rows.sites.of(caller, SITE_FRAMES),
        )

    def _key(self, proxy: Any) -> int:
        """The number that all proxies of an object share."""
        return self._rows.address_of(proxy) or id(proxy)
