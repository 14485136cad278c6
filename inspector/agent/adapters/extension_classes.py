"""Classes of native extensions that are not followed, by library.

They are shown to a person without declarations.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.declared.hooks import HEAP_FLAG
from inspector.agent.adapters.declared.names import Place, find
from inspector.agent.plain import (
    is_a,
    kind_name,
    module_names,
    mro_of,
    name_and_module,
    names_of,
)
from inspector.vocabulary import INTERNAL_MODULES, library_line, library_title
from inspector.wire.hooks import hooks
from inspector.wire.pyo3_libraries import binding_of, library_name

MOST_LIBRARIES: Final = 50
SPARE_REFERENCES: Final = 30
"""References to a class beside those of its instances and attributes, at most."""
DERIVED_REFERENCES: Final = 3
"""References of a derived class to its base, at most: as its base, among its bases, in its order of
look-up."""
LEAST_UNSEEN: Final = 20


def instances_beyond(cls: type, known: int = 0) -> int:
    """About how many instances of a heap type live beside ``known`` ones.

    0 where they are too few to tell.

    Each instance of a heap type refers to it, and so do its attributes and derived classes.
    """
    others = len(names_of(cls)) + DERIVED_REFERENCES * (len(closure(cls)) - 1)
    more = sys.getrefcount(cls) - others - known - SPARE_REFERENCES
    return more if more >= LEAST_UNSEEN else 0


OF_TOOL: Final = ("_cffi_backend",)
"""Libraries that the agent loads itself."""
STANDARD: Final = "/lib-dynload/"
"""The folder of the standard library's extensions."""


def own_libraries() -> frozenset[str]:
    """Paths of the interpreter's library and of the tool's own."""
    return frozenset(filter(None, (hooks.library_of(hooks.Hook), hooks.library_of(int))))


def extension_library(cls: type, own: Collection[str]) -> str:
    """The path of the extension that a class belongs to; ``""``: to none that can be followed.

    ``own`` are the libraries that are left out. Exceptions and metaclasses are left out as well.
    """
    if hooks.is_of_python(cls) or is_derived(cls, (BaseException, type)):
        return ""
    path = str(hooks.library_of(cls) or "")
    _, module = name_and_module(cls)
    is_internal = path in own or module.startswith(INTERNAL_MODULES)
    return "" if is_internal or library_name(path) in OF_TOOL else path


def is_derived(cls: type, bases: tuple[type, ...]) -> bool:
    """As ``issubclass``, without code of a metaclass."""
    return any(base in mro_of(cls) for base in bases)


def not_followed(followed: Collection[type]) -> dict[str, dict[str, Any]]:
    """For each library's file: its classes, the largest, and how they are named to be followed.

    Types in ``followed`` are left out, and the standard library's.

    About 2 ms.
    """
    by_library = _by_library(followed)
    most = sorted(by_library, key=lambda path: len(by_library[path]), reverse=True)[:MOST_LIBRARIES]
    return {path: _told(path, by_library[path]) for path in most}


def unfollowed_lines(told: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each library that ``not_followed`` tells. Reads the libraries' files."""
    return [
        library_line(
            library_title(each["module"], library_name(path)),
            binding_of(Path(path)) or "native",
            classes=each["classes"],
            alive=each["alive"],
            uncounted=each["uncounted"],
        )
        for path, each in told.items()
    ]


def _told(path: str, classes: list[type]) -> dict[str, Any]:
    heap = [cls for cls in classes if cls.__flags__ & HEAP_FLAG]
    return {
        "classes": len(classes),
        "uncounted": len(classes) - len(heap),
        "module": module_of_library(path),
        "alive": sum(map(instances_beyond, heap)),
        **_most_used(path, heap or classes),
    }


def module_of_library(path: str) -> str:
    """The dotted name of the module that a library's file was imported as; ``""``: none."""
    return next(
        (
            name
            for name, module in list(sys.modules.items())
            if is_a(module, ModuleType) and module_names(module).get("__file__") == path
        ),
        "",
    )


def _by_library(followed: Collection[type]) -> dict[str, list[type]]:
    own = own_libraries()
    found: defaultdict[str, list[type]] = defaultdict(list)
    for cls in closure(object).difference(followed):
        library = extension_library(cls, own)
        if library and STANDARD not in library:
            found[library].append(cls)
    return found


def _most_used(path: str, classes: Iterable[type]) -> dict[str, Any]:
    """The class to begin with, and about how many of it live.

    It has the name that a declaration would give it.
    """
    counted = sorted(
        (
            (instances_beyond(cls) if cls.__flags__ & HEAP_FLAG else 0, kind_name(cls), cls)
            for cls in classes
        ),
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
