"""Python calls that native code awaits in another process: their methods, objects and lines.

An entry of the map of tasks is a task, or a future of another thread with the task in its
callbacks. The task's coroutine makes the call by a function that generated code defines; this
function names the method and keeps the object. It is the way by which the agent names such a call
from within. One thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.attach.outside import layout as at
from inspector.attach.outside.frames import Coroutines
from inspector.attach.outside.heap import Classes
from inspector.attach.outside.objects import Objects
from inspector.attach.outside.python import SeenPython
from inspector.attach.outside.seen import SeenFrame
from inspector.attach.outside.uniffi import Bindings
from inspector.wire.uniffi import CALLED, MAKE_CALL

CALLBACKS: Final = "_done_callbacks"
"""The attribute in which a future of another thread keeps its callbacks."""
TASK: Final = "Task"
MOST_CALLS: Final = 1_024
"""That are named in one look."""


@dataclass(frozen=True, slots=True)
class SeenAwaited:
    """One Python call that native code awaits."""

    name: str
    """``MyStorage.get_cached_item``."""
    origin: str
    """Module of the object's class."""
    address: int
    """The object."""
    stack: tuple[SeenFrame, ...]
    """The lines on which it waits, innermost first; empty: it runs now, or cannot be read."""


class AwaitedCalls:
    """Reads the entries of maps of tasks."""

    def __init__(
        self, objects: Objects, python: SeenPython, classes: Classes, bindings: Bindings
    ) -> None:
        """Reads nothing yet."""
        self._objects, self._python = objects, python
        self._classes, self._bindings = classes, bindings
        self._coroutines = Coroutines(objects, python)

    def of(self, entry: int) -> SeenAwaited | None:
        """The call of an entry; ``None``: it has not begun, has ended, or cannot be read."""
        for coroutine in self._makers(entry):
            for content in self._coroutines.contents(self._coroutines.variables(coroutine)):
                function = self._coroutines.function_name(content)
                if function.rpartition(".")[2] == MAKE_CALL:
                    return self._named(coroutine, content, function)
        return None

    def _named(self, coroutine: int, make_call: int, function: str) -> SeenAwaited | None:
        called = self._coroutines.cells(make_call).get(CALLED, 0)
        name, origin = self._bindings.name_of(self._coroutines.kind_of(called))
        method = function.partition(".<locals>")[0].rpartition(".")[2]
        if not called or not name or not method:
            return None
        awaited = self._coroutines.awaited(coroutine)
        stack = self._coroutines.stack(awaited) if awaited else ()
        return SeenAwaited(f"{name}.{method}", origin, called, stack)

    def _makers(self, entry: int) -> Iterator[int]:
        """The coroutines that the tasks of an entry run."""
        for part in self._coroutines.items(entry) or [entry]:
            yield from self._coroutine_of(part)
            for callback in self._coroutines.items(self._attribute(part, CALLBACKS)):
                for content in self._coroutines.cells(callback).values():
                    yield from self._coroutine_of(content)

    def _coroutine_of(self, task: int) -> list[int]:
        """The coroutine of a task; none of another object."""
        kind = self._coroutines.kind_of(task)
        name = self._bindings.text_at(int(self._objects.memory.words([kind + at.TYPE_NAME])[0]))
        if not kind or name.rpartition(".")[2] != TASK:
            return []
        body = self._coroutines.body(task)
        return self._coroutines.of_kind(body, self._python.type_of_coroutines)[:1]

    def _attribute(self, place: int, name: str) -> int:
        rows, is_known = self._classes.row_of(
            np.array([self._coroutines.kind_of(place)], np.uint64)
        )
        if not is_known[0]:
            return 0
        places = np.array([place], np.uint64)
        return int(self._objects.attribute(places, self._classes.bodies, rows, (name,))[0])
