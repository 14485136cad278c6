"""Foreign objects: Python objects that native code holds by a key and calls back.

The callbacks run on any thread, including native threads, and also within a garbage collection;
they take no lock. An exception in a callback cannot reach the native caller: it is passed to
``sys.unraisablehook``, as from ``__del__``.
"""

from __future__ import annotations

import atexit
import itertools
import sys
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import Any, Final

from inspector.wire import ffi, lib


class ForeignMap:
    """Python objects that native code holds, by key. A key is never used again.

    Guarded without a lock: each method is one atomic operation of a dict or a counter. A lock could
    be asked for twice by one thread, because a garbage collection within ``insert`` may drop a
    foreign object.
    """

    __slots__ = ("_keys", "_objects")

    def __init__(self) -> None:
        """An empty map; keys start at 1."""
        self._keys = itertools.count(1)
        self._objects: dict[int, Any] = {}

    def insert(self, thing: object) -> int:
        """Hold an object until ``drop``; returns its key."""
        key = next(self._keys)
        self._objects[key] = thing
        return key

    def get(self, key: int) -> Any:
        """The object; ``KeyError`` after its drop."""
        return self._objects[key]

    def drop(self, key: int) -> None:
        """Release the object. Dropping twice does nothing."""
        self._objects.pop(key, None)

    def __len__(self) -> int:
        """Objects held now."""
        return len(self._objects)


FOREIGN: Final = ForeignMap()
"""One a process: native code calls back through plain functions, which find the object by its key
alone."""


EXIT_PATIENCE_MILLIS: Final = 500
"""How long the end of the interpreter waits for callbacks on their way. One that blocks for longer
may abort the process."""

# The interpreter ends threads that wait for it, including threads within a callback, whose native
# frames do not survive that. Functions that the program registers for its exit run before this one
# and may still be called back.
atexit.register(lib.ai_foreign_close, EXIT_PATIENCE_MILLIS)


def report_unraisable(
    kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
) -> None:
    """Report a callback's exception the way the interpreter reports exceptions in ``__del__``."""
    if error is None:
        return
    details: Any = SimpleNamespace(
        exc_type=kind,
        exc_value=error,
        exc_traceback=trace,
        err_msg=("Exception ignored in a native callback"),
        object=None,
    )
    sys.unraisablehook(details)


def callback(name: str, function: Callable[..., int | None], *, fallback: int | None = None) -> Any:
    """The C function of a name in ``CALLED_BACK`` of ``setup.py``; it now calls the function.

    It is compiled: a function made at run time takes memory that is writable and executable, which
    some systems refuse. ``fallback`` is native code's result when the function raises; a function
    without a result has none.
    """
    ffi.def_extern(name=name, error=fallback, onerror=report_unraisable)(function)
    return getattr(lib, name)


def error_length(method: Callable[[], object], text: Any, capacity: int) -> int:
    """Call a method of the program for native code, on any thread.

    Returns the length of the error in ``text``, 0 if there is none.
    """
    try:
        method()
    # it cannot pass through native code, and is reported to the caller
    except BaseException as error:
        message = f"{error or 'no message'} ({type(error).__name__})".encode(errors="replace")[
            :capacity
        ]
        ffi.memmove(text, message, len(message))
        return len(message)
    return 0


def _drop(key: int) -> None:
    """Native code dropped its last reference to a foreign object."""
    FOREIGN.drop(key)


DROP: Final = callback("ai_python_drop", _drop)
"""The function that native code calls when it drops a foreign object."""
