"""The peers that benchmarks compare with; ``./dev bench`` builds them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

BINDINGS = (
    Path(__file__).resolve().parents[2]
    / "native"
    / "peers"
    / "uniffi_todo"
    / "target"
    / "python"
    / "uniffi_todo.py"
)


def uniffi_todo() -> ModuleType:
    """The sample TodoList over UniFFI's own generated Python (ctypes)."""
    assert BINDINGS.exists(), "the peer is not built: ./dev bench python"
    spec = importlib.util.spec_from_file_location("uniffi_todo", BINDINGS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
