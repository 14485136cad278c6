"""Classes as in real programs, each twice: a declared class and a copy that is not followed."""

from __future__ import annotations

import ctypes
import importlib.util
from types import ModuleType
from typing import Any

import bdkpython.bdk

LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
LIBC.free.restype = None
LIBC.free.argtypes = [ctypes.c_void_p]
LIBC.posix_memalign.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
LIBC.malloc_usable_size.restype = ctypes.c_size_t
LIBC.malloc_usable_size.argtypes = [ctypes.c_void_p]


class Buffer:
    """A handle over ctypes."""

    def __init__(self, size: int) -> None:
        self._handle: int | None = LIBC.malloc(size)

    def size(self) -> int:
        """One native call."""
        return int(LIBC.malloc_usable_size(self._handle))

    def close(self) -> None:
        """Give the handle back."""
        LIBC.free(self._handle)
        self._handle = None


class Status(ctypes.Structure):
    """The status of a call beside its result."""

    _fields_ = (("code", ctypes.c_int8), ("message", ctypes.c_void_p))


def _checked(function: Any, *args: Any) -> int:
    """A call as generated wrappers make it.

    Arguments checked, a place for the result and one for the status.
    """
    status, place = Status(), ctypes.c_void_p()
    for number in args:
        if not isinstance(number, int) or not 0 <= number < 1 << 64:
            raise ValueError(f"out of range: {number}")
    status.code = function(ctypes.byref(place), *args)
    if status.code:
        raise OSError(status.code)
    return place.value or 0


class Checked:
    """A handle over ctypes with the care that generated wrappers take."""

    def __init__(self, size: int) -> None:
        self._handle: int | None = _checked(LIBC.posix_memalign, 64, size)

    def close(self) -> None:
        """Give the handle back."""
        LIBC.free(self._handle)
        self._handle = None


class Cheap:
    """As cheap as a class with a handle can be: nothing native is called at all."""

    def __init__(self) -> None:
        self._handle: int | None = 7

    def close(self) -> None:
        """Give the handle back."""
        self._handle = None


def _again(cls: Any) -> Any:
    """A second class of the same code."""
    return type(cls)(
        cls.__name__,
        cls.__bases__,
        {key: value for key, value in vars(cls).items() if key not in ("__dict__", "__weakref__")},
    )


PLAIN_BUFFER, PLAIN_CHECKED, PLAIN_CHEAP = _again(Buffer), _again(Checked), _again(Cheap)
"""Made before anybody hooks the originals."""


def generated(name: str) -> ModuleType:
    """The module that UniFFI generated for ``bdkpython``, once more.

    Proxies over ctypes, with all that generated code does.
    """
    spec = importlib.util.spec_from_file_location(name, bdkpython.bdk.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def extension_again(name: str) -> ModuleType:
    """A second module of an extension, with classes of its own; hidden: not in ``sys.modules``."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
