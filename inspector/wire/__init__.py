"""The schema as Python sees it, and the control messages."""

from __future__ import annotations

from inspector import _native
from inspector._native import ffi, lib

__all__ = ["ffi", "lib", "native_file"]


def native_file() -> str:
    """Where the native library lies."""
    return str(_native.__file__)
