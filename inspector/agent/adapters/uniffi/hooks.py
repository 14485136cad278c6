"""The hooks of one proxy class.

A hook calls the original first or last and passes on its result or exception; it never adds an
exception of its own: faults are kept for the worker, which reports them. Methods are not touched.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from inspector.agent.adapters.replaced import Replaced
from inspector.agent.adapters.uniffi.rows import ProxyRows
from inspector.wire.hooks import hooks


class ProxyHooks:
    """The hooks of one proxy class: birth, release, and the unannounced copy."""

    def __init__(self, rows: ProxyRows, copied: Callable[[], None]) -> None:
        """Call ``copied`` when a proxy is being copied or pickled.

        Another proxy on the same count may follow.
        """
        self._rows = rows
        self._copied = copied
        self._replaced = Replaced()

    def set(self) -> None:
        """Replace the class's constructor, lifting classmethod and finaliser by native hooks.

        The hooks are in ``native/python``.
        """
        cls, make_name, native = (
            self._rows.proxy_class.cls,
            self._rows.proxy_class.shape.make_name,
            self._rows.native,
        )
        own = vars(cls)
        # generations before 0.26 write none where the library has no constructor
        if "__init__" in own:
            self._replaced.replace(
                cls, "__init__", hooks.Hook(native, own["__init__"], "constructor")
            )
        if make_name is not None:
            self._replaced.replace(
                cls, make_name, classmethod(hooks.Hook(native, own[make_name].__func__, "maker"))
            )
        self._replaced.replace(cls, "__del__", hooks.Hook(native, own["__del__"], "finaliser"))
        if "__reduce_ex__" not in own:
            self._replaced.replace(cls, "__reduce_ex__", self._reducer(cls))

    def undo(self) -> None:
        """Leave the class as it was."""
        self._replaced.undo()

    def _reducer(self, cls: type) -> Callable[[Any, Any], Any]:
        """``__reduce_ex__``: how ``copy.copy`` and ``pickle`` take an object apart.

        Generated classes define none.
        """
        above = functools.partial(super, cls)

        def __reduce_ex__(proxy: Any, protocol: Any) -> Any:  # noqa: N807 - it stands in the place of one
            self._copied()
            return above(proxy).__reduce_ex__(protocol)

        return __reduce_ex__
