"""Contracts that the import linter cannot see: compiled modules, and modules loaded in a target."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    *("PySide6", "numpy", "pyqtgraph", "psutil", "typer", "rich", "platformdirs", "superqt"),
    *("inspector.model", "inspector.ui", "inspector.attach"),
)


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_only_wire_touches_the_native_module() -> None:
    users = {path.relative_to(ROOT).parts[1] for path in (ROOT / "inspector").rglob("*.py") if "inspector._native" in imports_of(path)}
    assert users == {"wire"}


def test_a_target_process_loads_neither_qt_nor_numpy_nor_the_viewer() -> None:
    program = "import sys, inspector.agent, inspector.runtime; inspector.agent.start(); print(*sys.modules); inspector.agent.stop()"
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = asked.stdout.split()
    assert "inspector.agent" in loaded
    assert [name for name in loaded if name.startswith(HEAVY)] == []
