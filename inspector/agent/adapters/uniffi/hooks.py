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

ABSENT: Final = object()
"""Stands for an attribute that the class did not have itself."""


class Faults:
    """Exceptions of hooks, kept until the worker asks. Any thread."""

    def __init__(self) -> None:
        """None yet."""
        self._first: BaseException | None = None
        self.count = 0
        """All of them, since ``take``."""

    def add(self, error: BaseException) -> None:
        """Keep the first, count the rest."""
        self.count += 1
        if self._first is None:
            self._first = error

    def take(self) -> BaseException | None:
        """The first since the last ``take``."""
        first, self._first, self.count = self._first, None, 0
        return first


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

    def __init__(self, rows: ProxyRows, faults: Faults, copied: Callable[[], None]) -> None:
        """``copied`` is called when a proxy is being copied or pickled: another proxy on the same count may follow."""
        self._rows = rows
        self._faults = faults
        self._copied = copied
        self._hooked = HookedClass(rows.proxy_class.cls)

    def set(self) -> None:
        """Replace the class's constructor, its lifting classmethod and its finaliser."""
        cls, make_name = self._rows.proxy_class.cls, self._rows.proxy_class.shape.make_name
        if "__init__" in vars(cls):  # generations before 0.26 write none where the library has no constructor
            self._hooked.replace("__init__", self._constructor(vars(cls)["__init__"]))
        self._hooked.replace(make_name, classmethod(self._maker(vars(cls)[make_name].__func__)))
        self._hooked.replace("__del__", self._finaliser(vars(cls)["__del__"]))
        if "__reduce_ex__" not in vars(cls):
            self._hooked.replace("__reduce_ex__", self._reducer(cls))

    def undo(self) -> None:
        """Leave the class as it was."""
        self._hooked.undo()

    def _constructor(self, original: Callable[..., None]) -> Callable[..., None]:
        """``__init__``."""
        born, failed = self._rows.born, self._faults.add

        @functools.wraps(original)
        def __init__(proxy: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it stands in the place of one
            original(proxy, *args, **kwargs)
            try:
                born(proxy)
            except Exception as error:  # the program's constructor must not fail because of the tool
                failed(error)

        return __init__

    def _maker(self, original: Callable[[type, int], Any]) -> Callable[[type, int], Any]:
        """``_uniffi_make_instance``: every lift passes here."""
        born, failed = self._rows.born, self._faults.add

        @functools.wraps(original)
        def make(cls: type, handle: int) -> Any:
            proxy = original(cls, handle)
            try:
                born(proxy)
            except Exception as error:  # nor must a lift
                failed(error)
            return proxy

        return make

    def _finaliser(self, original: Callable[[Any], None]) -> Callable[[Any], None]:
        """``__del__``. The row ends first, so that the sampler does not read what is freed."""
        gone, left, failed = self._rows.gone, self._rows.left, self._faults.add

        @functools.wraps(original)
        def __del__(proxy: Any) -> None:  # noqa: N807 - it stands in the place of one
            try:
                gone(proxy)
            except Exception as error:  # the proxy must be released whatever happens here
                failed(error)
            try:
                original(proxy)
            finally:
                left(proxy)

        return __del__

    def _reducer(self, cls: type) -> Callable[[Any, Any], Any]:
        """``__reduce_ex__``: how ``copy.copy`` and ``pickle`` take an object apart. Generated classes define none."""
        above = functools.partial(super, cls)

        def __reduce_ex__(proxy: Any, protocol: Any) -> Any:  # noqa: N807 - it stands in the place of one
            self._copied()
            return above(proxy).__reduce_ex__(protocol)

        return __reduce_ex__
