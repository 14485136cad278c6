"""UniFFI: objects behind unmodified generated bindings, recognised by their structure.

No package's name is used for that.
"""

from __future__ import annotations

from inspector.agent.adapters.uniffi.adapter import UniffiAdapter

__all__ = ["UniffiAdapter"]
