"""Reports an imported module at once, so that its first objects have thread and site.

A finder at the front of ``sys.meta_path`` lets the finders behind it find the module and gives the
loader *instance* an ``exec_module`` of its own for this one import; that is removed when it is
called. Only loaders of source, byte-code and extension files are treated so, of which the import
system makes one for each module. Runs on whichever thread imports; about 2 µs a module.
"""

from __future__ import annotations

import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader, SourceFileLoader, SourcelessFileLoader
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Final

WATCHED_LOADERS: Final = (SourceFileLoader, SourcelessFileLoader, ExtensionFileLoader)


class ImportWatch:
    """The finder. One for each attachment."""

    def __init__(self, imported: Callable[[ModuleType], None]) -> None:
        """``imported`` is called with each module whose body has run; it must not raise."""
        self._imported = imported

    def set(self) -> None:
        """Watch from now on."""
        sys.meta_path.insert(0, self)

    def undo(self) -> None:
        """Watch no longer. A module whose body runs just now is not reported."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The finding of the finders behind this one, with its loader watched."""
        finders = list(sys.meta_path)
        behind = finders[finders.index(self) + 1 :] if self in finders else []
        for finder in behind:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find is not None else None
            if spec is not None:
                self._watch(spec.loader)
                return spec
        return None

    def _watch(self, loader: Any) -> None:
        """Have this loader's next execution reported; to each watch, when there are several."""
        if type(loader) not in WATCHED_LOADERS:
            return
        before = vars(loader).get("exec_module")

        def exec_module(module: ModuleType) -> None:
            if before is None:
                vars(loader).pop("exec_module", None)
            else:
                loader.exec_module = before
            loader.exec_module(module)
            if self in sys.meta_path:
                self._imported(module)

        loader.exec_module = exec_module


def is_importing(module: object) -> bool:
    """Whether the module's body still runs: its classes may not all be there."""
    try:
        spec = object.__getattribute__(module, "__spec__")
    except AttributeError:
        return False
    return bool(getattr(spec, "_initializing", False))
