"""Classes as people write them around native handles, for the declarative adapter to follow."""

from __future__ import annotations

import ctypes
import itertools
from typing import Any, Self

import cffi

FFI = cffi.FFI()
LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
LIBC.free.argtypes = [ctypes.c_void_p]
LIBC.posix_memalign.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
NUMBERS = itertools.count(1000)


class Session:
    """A handle in a field, none before ``open`` and after ``close``."""

    def __init__(self, *, opened: bool = True) -> None:
        self._handle: Any = None
        self.flushed: bool | None = None
        if opened:
            self.open()

    @classmethod
    def connect(cls) -> Self:
        """Made without the constructor."""
        session = cls.__new__(cls)
        session._handle = ctypes.c_void_p(next(NUMBERS))
        return session

    def open(self) -> None:
        self._handle = ctypes.c_void_p(next(NUMBERS))

    def close(self, *, flush: bool = False) -> None:
        self.flushed = flush
        self._handle = None

    def fail(self) -> None:
        raise ValueError("as it would without us")


class Derived(Session):
    """A class of the program's own."""


class Plain:
    """Owns its handle for life; says nothing of it."""


class Made:
    """Takes its arguments in ``__new__``."""

    def __new__(cls, number: int) -> Self:
        made = super().__new__(cls)
        made.number = number
        return made

    number: int


class Stubborn:
    """A class whose close does not close."""

    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        """Later, perhaps."""

    async def shut(self) -> None:
        self.is_open = False


class Buffer:
    """Memory of a C library, freed by hand."""

    def __init__(self, size: int) -> None:
        self.address = LIBC.malloc(size)

    def free(self) -> None:
        LIBC.free(self.address)
        self.address = None


class Guarded:
    """A pointer that cffi frees, and a handle by which C code refers to the object."""

    def __init__(self) -> None:
        self.pointer = FFI.gc(FFI.cast("struct thing *", next(NUMBERS) << 20), lambda pointer: None)
        self.userdata = FFI.new_handle(self)


class Slotted:
    """Cannot be referred to weakly."""

    __slots__ = ("handle",)


def connect() -> Session:
    return Session.connect()
