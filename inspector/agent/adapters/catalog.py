"""Which adapters an agent starts with."""

from __future__ import annotations

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.own import OwnRuntimeAdapter
from inspector.agent.adapters.protocol import Adapter
from inspector.agent.adapters.pyo3 import Pyo3Adapter
from inspector.agent.adapters.uniffi.adapter import UniffiAdapter


def make_adapters() -> list[Adapter]:
    """An adapter for each ecosystem; each finds out itself whether the program uses it.

    A class of UniFFI's that is declared keeps its rows: the declaration adds how it closes. Our own
    runtime comes last: it asks every object of the program whether it owns a row; earlier adapters
    look the object up.
    """
    uniffi, pyo3 = UniffiAdapter(), Pyo3Adapter()
    declared = DeclaredAdapter(hosts=(uniffi, pyo3))
    pyo3.claimed = declared.followed
    return [uniffi, declared, pyo3, OwnRuntimeAdapter()]
