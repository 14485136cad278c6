"""Sets functions in the place of a class's own, and puts the class's own back.

A hook calls the original first or last and passes on whatever it returns or raises; it never adds an exception of its own: those
are kept for the worker, which reports them. Methods are not touched. Undoing restores the very objects that stood there before;
where someone else has set another function over the hook meanwhile, that one stays, and the hook under it only passes through.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from inspector.agent.adapters.uniffi.rows import ProxyRows
from inspector.agent.faults import Faults as Faults
from inspector.wire.hooks import hooks

ABSENT: Final = object()
"""Stands for an attribute that the class did not have itself."""


class HookedClass:
    """Attributes of one class that were replaced."""

    def __init__(self, cls: type) -> None:
        """Nothing is replaced yet."""
        self._cls = cls
        self._replaced: dict[str, tuple[object, object]] = {}

    def replace(self, name: str, hook: object) -> None:
        """Set one attribute of the class. Each name once."""
        self._replaced[name] = vars(self._cls).get(name, ABSENT), hook
        setattr(self._cls, name, hook)

    def undo(self) -> None:
        """Put back what was there, newest first."""
        while self._replaced:
            name, (original, hook) = self._replaced.popitem()
            if vars(self._cls).get(name, ABSENT) is not hook:
                continue
            if original is ABSENT:
                delattr(self._cls, name)
            else:
                setattr(self._cls, name, original)


class ProxyHooks:
    """The hooks of one proxy class: birth, release, and the copy that nobody announces."""

    def __init__(self, rows: ProxyRows, copied: Callable[[], None]) -> None:
        """``copied`` is called when a proxy is being copied or pickled: another proxy on the same count may follow."""
        self._rows = rows
        self._copied = copied
        self._hooked = HookedClass(rows.proxy_class.cls)

    def set(self) -> None:
        """Replace the class's constructor, its lifting classmethod and its finaliser by native hooks (``native/python``)."""
        cls, make_name, native = self._rows.proxy_class.cls, self._rows.proxy_class.shape.make_name, self._rows.native
        own = vars(cls)
        if "__init__" in own:  # generations before 0.26 write none where the library has no constructor
            self._hooked.replace("__init__", hooks.Hook(native, own["__init__"], "constructor"))
        self._hooked.replace(make_name, classmethod(hooks.Hook(native, own[make_name].__func__, "maker")))
        self._hooked.replace("__del__", hooks.Hook(native, own["__del__"], "finaliser"))
        if "__reduce_ex__" not in own:
            self._hooked.replace("__reduce_ex__", self._reducer(cls))

    def undo(self) -> None:
        """Leave the class as it was."""
        self._hooked.undo()

    def _reducer(self, cls: type) -> Callable[[Any, Any], Any]:
        """``__reduce_ex__``: how ``copy.copy`` and ``pickle`` take an object apart. Generated classes define none."""
        above = functools.partial(super, cls)

        def __reduce_ex__(proxy: Any, protocol: Any) -> Any:  # noqa: N807 - it stands in the place of one
            self._copied()
            return above(proxy).__reduce_ex__(protocol)

        return __reduce_ex__
