"""Clones in transit, in the history.

Native stand-ins replace the library's clone functions while the level asks for events.

Generated code looks a function up in the library object at each call, so replacing the attribute is
enough. The stand-in (``native/crates/follow/src/transit.rs``) is as much a foreign function to
``ctypes`` as the original; a call costs a few nanoseconds more. Only classes that have rows get a
stand-in. Worker thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from inspector.agent.adapters.uniffi.rows import ProxyRows
from inspector.vocabulary import Level
from inspector.wire.hooks import hooks


class TransitHooks:
    """The stand-ins of one module's library."""

    def __init__(self, library: Any, rows: Iterable[ProxyRows]) -> None:
        """Sets nothing yet."""
        self._library = library
        self._waiting = [each for each in rows if each.proxy_class.clone_function]
        self._set: list[tuple[ProxyRows, Any, Any]] = []

    def follow(self, level: int) -> None:
        """Have stand-ins for the classes that have rows, at *history* and above; none below.

        ``level`` is the highest of any type: native code leaves out the types below it.
        """
        if level < Level.HISTORY:
            self.undo()
        elif self._waiting:
            ready = [
                rows
                for rows in self._waiting
                if rows.type_index and rows.layout[0] != hooks.UNKNOWN
            ]
            for rows in ready:
                self._waiting.remove(rows)
                self._stand_in(rows)

    def undo(self) -> None:
        """Restore the library's own functions, unless another library replaced them meanwhile."""
        own = vars(self._library)
        while self._set:
            rows, original, stand_in = self._set.pop()
            if own.get(rows.proxy_class.clone_function) is stand_in:
                setattr(self._library, rows.proxy_class.clone_function, original)
            self._waiting.append(rows)

    def _stand_in(self, rows: ProxyRows) -> None:
        """Replace one function."""
        import ctypes  # loaded by the generated module; programs without one do not pay for it

        name = rows.proxy_class.clone_function
        original = vars(self._library).get(name)
        if original is None:
            return
        address = ctypes.cast(original, ctypes.c_void_p).value or 0
        place = hooks.stand_in(address, rows.type_index, *rows.layout)
        if place:
            stand_in = type(original)(place)
            stand_in.argtypes, stand_in.restype = original.argtypes, original.restype
            setattr(self._library, name, stand_in)
            self._set.append((rows, original, stand_in))
