"""The declarative adapter: any class that keeps a native handle, described in a few lines of TOML."""

from __future__ import annotations

from inspector.agent.adapters.declared.adapter import DeclaredAdapter

__all__ = ["DeclaredAdapter"]
