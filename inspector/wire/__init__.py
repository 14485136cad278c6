"""The schema as Python sees it, and the control messages."""

from __future__ import annotations

from inspector._native import ffi, lib

__all__ = ["ffi", "lib"]
