"""Finds the object of a dotted name among the imported modules.

Imports nothing and runs no code of the program.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, NamedTuple

from inspector.agent.adapters.imports import is_importing


class Place(NamedTuple):
    """The place of an object, so that another object can replace it."""

    owner: Any
    """A module, a class, or an object."""
    name: str
    value: Any
    """As it stands there: a ``staticmethod``, not what it gives out."""


class Missing(NamedTuple):
    """Why a name stands for nothing."""

    is_waiting: bool
    """Its module is not imported yet, or its body still runs."""
    reason: str


def find(dotted: str, finished: str = "") -> Place | Missing:
    """The longest part of the name that is a module, and in it the rest, attribute by attribute.

    ``finished`` is a module whose body has run although the import system does not say so yet.
    """
    parts = dotted.split(".")
    for count in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:count])
        module = sys.modules.get(name)
        if isinstance(module, ModuleType):
            if name != finished and is_importing(module):
                return Missing(True, f"{name} is being imported")
            return _within(module, name, parts[count:])
    return Missing(True, f"{parts[0]} is not imported yet")


def _within(module: ModuleType, name: str, rest: list[str]) -> Place | Missing:
    """Follow attributes found in dictionaries, without descriptors or ``__getattr__``."""
    owner: Any = module
    for step, part in enumerate(rest):
        found = _own(owner, part)
        if found is None:
            if step == 0 and len(rest) > 1:
                return Missing(True, f"{name}.{part} is not imported yet")
            return Missing(False, f"{name} has no {'.'.join(rest[: step + 1])}")
        if step == len(rest) - 1:
            return Place(found.owner, part, found.value)
        owner = found.value
    return Missing(False, f"{name} is a module")


def _own(owner: Any, name: str) -> Place | None:
    if isinstance(owner, type):
        return next(
            (
                Place(cls, name, vars(cls)[name])
                for cls in type.__dict__["__mro__"].__get__(owner)
                if name in vars(cls)
            ),
            None,
        )
    try:
        namespace = object.__getattribute__(owner, "__dict__")
    except AttributeError:
        return None
    return Place(owner, name, namespace[name]) if name in namespace else None
