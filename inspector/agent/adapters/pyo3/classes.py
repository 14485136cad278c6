"""Finds classes of extensions in this process: PyO3's, and those of libraries that a person named.

A class is told by the library of its destructor, as from outside
(``inspector/attach/outside/extensions.py``). The library's texts are looked for where it is mapped,
so no file is read. No code of the program runs. Worker thread, or the thread that imports a
library.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import NamedTuple

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.declared.hooks import HEAP_FLAG
from inspector.agent.adapters.extension_classes import extension_library, own_libraries
from inspector.agent.plain import is_a, module_names, name_and_module
from inspector.source_places import INSTALLED
from inspector.wire.hooks import hooks
from inspector.wire.pyo3_libraries import MARKERS, library_name

NO_MODULE = ("", "builtins")
"""PyO3's default when the author names none."""


class Found(NamedTuple):
    """A class of a library, or one that the program derived from it."""

    cls: type
    name: str
    origin: str
    """The module, or the library's name where the class says nothing."""
    library: str
    """Path of the library."""
    is_pyo3: bool = True


class Libraries:
    """The libraries that were judged. One thread at a time."""

    def __init__(self) -> None:
        """Knows no library yet."""
        self._judged: dict[str, bool] = {}
        self.named: set[str] = set()
        """Paths of the libraries that a person named: all their classes are followed."""
        self.chosen: list[type] = []
        """Classes that a person named, of libraries that are not PyO3's."""

    def is_pyo3(self, path: str, witness: type | str) -> bool:
        """Whether PyO3 made a library; ``witness`` is a class of it, or its path."""
        known = self._judged.get(path)
        if known is None:
            known = self._judged[path] = bool(hooks.library_has(witness, MARKERS))
        return known

    def of(self, cls: type) -> Found | None:
        """A class as it is found; ``None``: it is none of a library itself."""
        if not cls.__flags__ & HEAP_FLAG or hooks.is_of_python(cls):
            return None
        path = hooks.library_of(cls)
        if not path or not self.is_pyo3(path, cls):
            return None
        found: dict[int, Found] = {}
        self._add(cls, path, found)
        return found[id(cls)]

    def any_of(self, cls: type) -> Found | None:
        """A class of any extension; ``None``: it is Python's, or the interpreter's own."""
        path = extension_library(cls, own_libraries())
        if not path:
            return None
        found: dict[int, Found] = {}
        self._add(cls, path, found, is_pyo3=self.is_pyo3(path, cls))
        return found[id(cls)]

    def classes(self) -> list[Found]:
        """The classes of these libraries now, each before the classes derived from it."""
        found: dict[int, Found] = {}
        for cls in closure(object):
            if cls.__flags__ & HEAP_FLAG and not hooks.is_of_python(cls):
                path = hooks.library_of(cls)
                if path and self.is_pyo3(path, cls):
                    self._add(cls, path, found)
        for cls in (*self._of_named(), *self.chosen):
            self._add(cls, hooks.library_of(cls) or "", found, is_pyo3=False)
        return list(found.values())

    def _of_named(self) -> list[type]:
        """The classes of the libraries that a person named."""
        if not self.named:
            return []
        own = own_libraries()
        every = ((cls, extension_library(cls, own)) for cls in closure(object))
        return [cls for cls, path in every if path in self.named]

    def _add(self, cls: type, path: str, found: dict[int, Found], *, is_pyo3: bool = True) -> None:
        if id(cls) in found:
            return
        name, module = name_and_module(cls)
        origin = library_name(path) if module in NO_MODULE else module
        found[id(cls)] = Found(cls, name, origin, path, is_pyo3)
        derived: type
        for derived in type.__subclasses__(cls):
            if hooks.is_of_python(derived) or is_pyo3:
                self._add(derived, path, found, is_pyo3=is_pyo3)


def module_constants(path: str) -> list[object]:
    """The objects that the module of a library has as its attributes."""
    modules = [each for each in list(sys.modules.values()) if is_a(each, ModuleType)]
    return [
        value
        for each in modules
        if (names := module_names(each)).get("__file__") == path
        for value in list(names.values())
    ]


def packages_of_library(path: str, origin: str) -> tuple[str, ...]:
    """The top-level packages whose frames are the library's own: its folder's and its module's."""
    names = {library_name(path), origin.partition(".")[0]}
    for part in INSTALLED:
        _, is_installed, below = path.rpartition(part)
        if is_installed:
            names.add(below.partition("/")[0].partition(".")[0])
    return tuple(sorted(names))
