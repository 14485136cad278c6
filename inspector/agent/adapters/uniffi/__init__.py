"""UniFFI: objects behind unmodified generated bindings, recognised by structure and never by a package's name."""

from __future__ import annotations

from inspector.agent.adapters.uniffi.adapter import UniffiAdapter

__all__ = ["UniffiAdapter"]
