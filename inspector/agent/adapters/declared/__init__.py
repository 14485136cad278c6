"""The declarative adapter: classes that keep a native handle, described in TOML."""

from __future__ import annotations

from inspector.agent.adapters.declared.adapter import DeclaredAdapter

__all__ = ["DeclaredAdapter"]
