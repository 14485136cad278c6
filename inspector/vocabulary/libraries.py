"""How an extension whose classes are not followed is told to a person."""

from __future__ import annotations

from typing import Final

INTERNAL_MODULES: Final = ("_cython_", "pybind11_builtins", "nanobind")
"""How the modules of classes begin that serve an extension itself: functions, generators."""


def library_line(name: str, binding: str, *, classes: int, alive: int, uncounted: int) -> str:
    """``rpds (PyO3 0.29.3): 8 classes, about 1,204 objects alive``.

    ``alive`` objects are counted, but none of ``uncounted`` classes; -1: of an unknown number.
    """
    if not classes:
        return f"{name} ({binding}): classes and objects not counted"
    parts = ["1 class" if classes == 1 else f"{classes:,} classes"]
    if alive:
        parts.append(f"about {alive:,} {'object' if alive == 1 else 'objects'} alive")
    if uncounted >= classes:
        parts.append("objects not counted")
    elif uncounted < 0:
        parts.append("other classes not counted")
    elif uncounted:
        parts.append(f"objects of {uncounted:,} not counted")
    return f"{name} ({binding}): {', '.join(parts)}"


def library_title(module: str, file_name: str) -> str:
    """``rpds`` for the module ``rpds.rpds``; the file's name where the module is not known."""
    package, _, last = module.rpartition(".")
    is_same = last.strip("_") == package.rpartition(".")[2].strip("_")
    return package if package and is_same else module or file_name
