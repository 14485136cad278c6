"""The schema as Python sees it, and the control messages."""

from __future__ import annotations

from inspector import _native
from inspector._native import ffi, lib

__all__ = ["ffi", "has_native_library", "lib", "native_file"]


def has_native_library() -> bool:
    """Whether this installation has the native library; the pure wheel has a stand-in."""
    return not getattr(_native, "IS_STAND_IN", False)


def native_file() -> str:
    """Path of the native library."""
    return str(_native.__file__)
