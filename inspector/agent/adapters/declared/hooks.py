"""The hooks of one declared class: births of proxies, and the ends of their handles.

A proxy may open, close or give back its handle there.

Hooks (``native/python/hook.c``) call the original, pass on its result or exception, and then have
the proxy looked at. A class of an extension whose attributes cannot be set gets no hook on itself,
only on the functions that make it. Undoing leaves every attribute identical to before.
"""

from __future__ import annotations

from typing import Any, Final

from inspector.agent.adapters.declared.names import Missing, Place, find
from inspector.agent.adapters.replaced import Replaced
from inspector.wire.declarations import Declaration
from inspector.wire.hooks import hooks

IMMUTABLE_FLAG: Final = 1 << 8
HEAP_FLAG: Final = 1 << 9
"""``Py_TPFLAGS_IMMUTABLETYPE`` and ``Py_TPFLAGS_HEAPTYPE``."""

Births = Any
"""``hooks.Births``: called with a proxy, it has that looked at."""


class ClassHooks:
    """The hooks of one class."""

    def __init__(self, cls: type, declaration: Declaration, births: Births) -> None:
        """``births`` is given each proxy that was made or may have changed."""
        self._cls = cls
        self._declaration = declaration
        self._births = births
        self._replaced = Replaced()
        self._made_by = set(declaration.made_by)

    def set(self) -> list[str]:
        """Set them; one line for each that could not be."""
        troubles = self._hook_class() if is_mutable(self._cls) else []
        return troubles + self.look_for_makers()

    def look_for_makers(self, finished: str = "") -> list[str]:
        """Hook the functions that make proxies and are imported by now.

        One line for each that there is not.
        """
        troubles = []
        for dotted in sorted(self._made_by):
            place = find(dotted, finished)
            if isinstance(place, Missing) and place.is_waiting:
                continue
            self._made_by.discard(dotted)
            trouble = place.reason if isinstance(place, Missing) else self._hook_maker(place)
            if trouble:
                troubles.append(f"made_by {dotted}: {trouble}")
        return troubles

    def undo(self) -> None:
        """Leave the class and the makers as they were."""
        self._made_by.clear()
        self._replaced.undo()

    def _hook_class(self) -> list[str]:
        """The constructor, and the methods that change a proxy."""
        troubles = []
        kind = "plain birth" if has_plain_init(self._cls) else "birth"
        # the constructor as it would be called
        constructor: Any = self._cls.__init__  # type: ignore[misc]
        self._replaced.replace(self._cls, "__init__", hooks.Hook(self._births, constructor, kind))
        declared = self._declaration
        for name in dict.fromkeys((*declared.watch, *declared.closers)):
            method = getattr(self._cls, name, None)
            if not callable(method):
                troubles.append(f"it has no method {name}")
            elif not isinstance(static_attribute(self._cls, name), staticmethod | classmethod):
                kind = "closer" if name in declared.closers else "method"
                self._replaced.replace(self._cls, name, hooks.Hook(self._births, method, kind))
        return troubles

    def _hook_maker(self, place: Place) -> str:
        """One function or method; why not, if not."""
        raw = place.value
        function = raw.__func__ if isinstance(raw, staticmethod | classmethod) else raw
        if not callable(function):
            return "not a function"
        hook: Any = hooks.Hook(self._births, function, "made")
        if isinstance(raw, classmethod):
            hook = classmethod(hook)
        elif isinstance(raw, staticmethod) or (
            isinstance(place.owner, type) and not hasattr(type(raw), "__get__")
        ):
            hook = staticmethod(hook)
        try:
            self._replaced.replace(place.owner, place.name, hook)
        except (TypeError, AttributeError):
            return "it cannot be replaced, its class belongs to an extension"
        return ""


def is_mutable(cls: type) -> bool:
    """Whether attributes of a class can be set."""
    return cls.__flags__ & (HEAP_FLAG | IMMUTABLE_FLAG) == HEAP_FLAG


def has_plain_init(cls: type) -> bool:
    """Whether arguments are for ``__new__`` alone.

    The initialiser of ``object`` takes none once there is a hook over it.
    """
    return (
        getattr(cls, "__init__", None) is object.__init__
        and getattr(cls, "__new__", None) is not object.__new__
    )


def static_attribute(cls: type, name: str) -> object:
    """An attribute found in the class or a base, without descriptors."""
    return next((vars(each)[name] for each in cls.__mro__ if name in vars(each)), None)
