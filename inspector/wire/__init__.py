"""The schema as Python sees it, and the control messages."""

from __future__ import annotations

from inspector import _native
from inspector._native import ffi, lib

__all__ = ["ffi", "lib", "native_file"]


def native_file() -> str:
    """Path of the native library."""
    return str(_native.__file__)
