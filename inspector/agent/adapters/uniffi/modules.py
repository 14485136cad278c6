"""Finds generated modules among the imported modules, now and again later.

``sys.modules`` is only looked at: nothing is imported, and no module's ``__getattr__`` is
triggered. Worker thread, and once on the thread that starts the agent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TypeGuard

from inspector.agent.adapters.imports import is_importing
from inspector.agent.adapters.uniffi.generation import is_generated


class ModuleFinder:
    """Remembers which modules were looked at. One instance for each attachment."""

    def __init__(self) -> None:
        """Nothing was looked at."""
        self._looked_at: dict[str, int] = {}

    def unseen(self) -> Iterator[ModuleType]:
        """Generated modules that were not answered before and whose import has finished.

        Worker thread.

        2,000 modules take about 0.2 ms; known modules cost one dictionary lookup.
        """
        for name, module in list(sys.modules.items()):
            if (
                self._looked_at.get(name) != id(module)
                and not is_importing(module)
                and self.claim(name, module)
            ):
                yield module

    def claim(self, name: str, module: object) -> TypeGuard[ModuleType]:
        """Whether a module is a generated module without a claim. Also on threads that import."""
        if self._looked_at.get(name) == id(module):
            return False
        self._looked_at[name] = id(module)
        return (
            isinstance(module, ModuleType)
            and is_generated(vars(module))
            and vars(module).get("__name__") == name
        )
