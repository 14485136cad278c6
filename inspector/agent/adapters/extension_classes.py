"""Classes of native extensions that are not followed, by library.

They are shown to a person without declarations.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
from types import ModuleType
from typing import Any, Final

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.declared.hooks import HEAP_FLAG
from inspector.agent.adapters.declared.names import Place, find
from inspector.agent.plain import is_a, kind_name, module_names, names_of
from inspector.wire.hooks import hooks

MOST_LIBRARIES: Final = 50
SPARE_REFERENCES: Final = 30
"""References to a class beside those of its instances and attributes, at most."""
LEAST_UNSEEN: Final = 20


def instances_beyond(cls: type, known: int = 0) -> int:
    """About how many instances of a heap type live beside ``known`` ones.

    0 where they are too few to tell.

    Each instance of a heap type refers to it.
    """
    more = sys.getrefcount(cls) - len(names_of(cls)) - known - SPARE_REFERENCES
    return more if more >= LEAST_UNSEEN else 0


def not_followed(followed: Collection[type]) -> dict[str, dict[str, Any]]:
    """For each library's file: its heap types with a destructor, and the largest.

    Types in ``followed`` are left out.

    About 2 ms.
    """
    by_library = _by_library(followed)
    most = sorted(by_library, key=lambda path: len(by_library[path]), reverse=True)[:MOST_LIBRARIES]
    return {
        path: {"classes": len(by_library[path]), **_most_used(path, by_library[path])}
        for path in most
    }


def _by_library(followed: Collection[type]) -> dict[str, list[type]]:
    own = hooks.library_of(hooks.Hook)
    left_out = {None, "", own, hooks.library_of(int)}
    found: defaultdict[str, list[type]] = defaultdict(list)
    for cls in closure(object).difference(followed):
        if cls.__flags__ & HEAP_FLAG and not hooks.is_of_python(cls):
            library = hooks.library_of(cls)
            if library not in left_out:
                found[library].append(cls)
    return found


def _most_used(path: str, classes: Iterable[type]) -> dict[str, Any]:
    """The class to begin with, and about how many of it live.

    It has the name that a declaration would give it.
    """
    counted = sorted(
        ((instances_beyond(cls), kind_name(cls), cls) for cls in classes),
        key=lambda each: (-each[0], each[1]),
    )
    for live, _, cls in counted:
        name = _importable(path, cls)
        if name:
            return {"example": name, "live": live}
    return {"example": "", "live": 0}


def _importable(path: str, cls: type) -> str:
    """The dotted name of the class in a module; ``""``: in none.

    Some extensions say that theirs are of ``builtins``.
    """
    own = kind_name(cls)
    place = find(own) if "." in own else None
    if isinstance(place, Place) and place.value is cls:
        return own
    for name, module in list(sys.modules.items()):
        if is_a(module, ModuleType) and module_names(module).get("__file__") == path:
            known = next(
                (
                    key
                    for key, value in list(module_names(module).items())
                    if value is cls and type(key) is str
                ),
                "",
            )
            if known:
                return f"{name}.{known}"
    return ""
