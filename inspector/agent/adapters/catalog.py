"""Which adapters an agent starts with."""

from __future__ import annotations

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.own import OwnRuntimeAdapter
from inspector.agent.adapters.protocol import Adapter
from inspector.agent.adapters.uniffi.adapter import UniffiAdapter


def make_adapters() -> list[Adapter]:
    """One of each ecosystem; each finds by itself whether the program uses it.

    Our own runtime comes last: it asks every object of the program whether it owns a row, the others look it up.
    """
    return [UniffiAdapter(), DeclaredAdapter(), OwnRuntimeAdapter()]
