"""Contracts that the import linter cannot see: compiled modules, and modules loaded in a target."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Set
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    *("PySide6", "numpy", "pyqtgraph", "psutil", "typer", "rich", "platformdirs"),
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


def imports_by_module() -> dict[str, set[str]]:
    """The imports of each module within the package, also for type checks and within functions."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in (ROOT / "inspector").rglob("*.py")
    }
    named = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    return {
        name: {each for each in targets_of(path, named.keys()) if each != name}
        for name, path in named.items()
    }


def targets_of(path: Path, known: Set[str]) -> Iterator[str]:
    """Modules that a file imports; ``from package import module`` is the module alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from known & {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside in known else node.module


def in_circles(imports: dict[str, set[str]]) -> dict[str, set[str]]:
    """Modules that are left when leaves and roots are removed repeatedly.

    Circles, and modules between them.
    """
    left = imports
    while True:
        imported = set().union(*left.values())
        inner = {name for name, found in left.items() if found & left.keys() and name in imported}
        if inner == left.keys():
            return left
        left = {name: left[name] & inner for name in inner}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert in_circles(imports_by_module()) == {}
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == {
        "b": {"c"},
        "c": {"b"},
    }


def test_only_wire_touches_the_native_module() -> None:
    users = {
        path.relative_to(ROOT).parts[1]
        for path in (ROOT / "inspector").rglob("*.py")
        if "inspector._native" in imports_of(path)
    }
    assert users == {"wire"}


def test_a_target_process_loads_neither_qt_nor_numpy_nor_the_viewer() -> None:
    program = (
        "import sys, inspector.agent, inspector.runtime; inspector.agent.start(); "
        "print(*sys.modules); inspector.agent.stop()"
    )
    asked = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = asked.stdout.split()
    assert "inspector.agent" in loaded
    assert [name for name in loaded if name.startswith(HEAVY)] == []


def test_an_agent_loads_no_samples_and_nothing_of_the_library_that_makes_classes() -> None:
    program = (
        "import sys; before = set(sys.modules); from inspector import agent; agent.start(); "
        "print(*(set(sys.modules) - before)); agent.stop()"
    )
    asked = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(asked.stdout.split())
    assert "inspector.runtime.handles" in loaded
    samples = {"application", "planner", "samples", "strategies"}
    assert not loaded & {f"inspector.runtime.{name}" for name in samples}
    assert not loaded & {"dataclasses", "inspect", "tokenize"}


def test_one_module_of_the_viewer_knows_where_linux_keeps_what_it_says_of_a_process() -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "inspector").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and f"{node.value}/".startswith("/proc/")
    }
    assert users == {"inspector/attach/procfs.py"}
