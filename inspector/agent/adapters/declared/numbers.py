"""The number of a handle in any wrapper: an integer, a ctypes or cffi pointer, an object."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from inspector.wire import ffi

MAX_DEPTH = 3
"""Objects within objects that are looked into for a ``value``."""
WORD = (1 << 64) - 1
_UINTPTR = ffi.typeof("uintptr_t")


class Number(NamedTuple):
    """A handle."""

    value: int
    """0: there is none."""
    is_address: bool
    """It is a place in memory, so that rows with the same number stand for one object."""


NONE = Number(0, is_address=False)


def number_of(value: Any) -> Number:
    """The handle in a value; ``NONE`` for a value without a handle: none, 0, -1, a null pointer.

    Raises ``TypeError`` for any other value.
    """
    for _ in range(MAX_DEPTH):
        if value is None or value is False:
            return NONE
        # first: asking a pointer for anything else looks for a field of that name, for a
        # microsecond
        if isinstance(value, ffi.CData):
            return _of_cffi(value)
        if isinstance(value, int):
            return NONE if value in (0, -1) else Number(value & WORD, is_address=False)
        pointer = _of_ctypes(value)
        if pointer is not None:
            return pointer
        if not hasattr(type(value), "value"):
            # an opaque object of an extension: it is the handle
            return Number(id(value), is_address=True)
        value = value.value
    raise TypeError(f"{type(value).__name__} is no handle")


def _of_cffi(value: Any) -> Number:
    """A pointer, or a number in a C type."""
    number = int(ffi.cast(_UINTPTR, value))
    return (
        Number(number, ffi.typeof(value).kind in ("pointer", "function", "array"))
        if number
        else NONE
    )


def _of_ctypes(value: Any) -> Number | None:
    """A pointer of ctypes.

    ``None`` for other values. ctypes is not loaded for it: without it there are no such values.
    """
    ctypes = sys.modules.get("ctypes")
    if ctypes is None:
        return None
    if isinstance(value, ctypes.c_void_p):
        number = value.value
    elif isinstance(value, (ctypes.c_char_p, ctypes.c_wchar_p, ctypes._Pointer)):
        number = ctypes.cast(value, ctypes.c_void_p).value
    elif isinstance(value, ctypes.Structure | ctypes.Union | ctypes.Array):
        number = ctypes.addressof(value)
    else:
        return None
    return Number(number, True) if number else NONE
