"""Classes that belong to an extension, followed through their type slots by native code: see ``native/src/extension``.

Needed where attributes of the class cannot be set, so that births are seen, and where instances cannot be referred to weakly, so that
their ends are. The class's attributes stay what they are, while hooked as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.declared.hooks import Observe, has_plain_init, is_mutable
from inspector.agent.adapters.declared.numbers import WORD
from inspector.errors import InspectorError
from inspector.wire import lib
from inspector.wire.status import check, new_error


class AddressRef:
    """Stands for a weak reference to an object that has no room for one; valid as long as native code lists the object."""

    __slots__ = ("_object_at", "key", "number", "row")

    def __init__(self, key: int, number: int, row: int) -> None:
        """For the object at ``key``, which lives now. It is valid after ``list``."""
        from _ctypes import PyObj_FromPtr  # most programs have no such objects

        self._object_at: Callable[[int], Any] = PyObj_FromPtr
        self.key = key
        self.number = number
        self.row = row

    def list(self) -> bool:
        """Let the row end when the object does; false when another row does so already."""
        return int(lib.ai_object_watch(self.key, self.row)) == self.row

    def __call__(self) -> Any:
        """The object; ``None`` when it is gone. The native call keeps the interpreter's lock, so that nobody comes between."""
        if not lib.ai_object_hold(self.key, self.row):
            return None
        found = self._object_at(self.key)
        lib.ai_object_let_go(self.key)
        return found

    def forget(self) -> None:
        """The row does not end with the object any more."""
        lib.ai_object_forget(self.key)


class TypeHooks:
    """The slots of one class and of what is derived from it."""

    def __init__(self, cls: type, observe: Observe | None) -> None:
        """``observe`` is given each new instance; ``None``: births are seen in another way."""
        self._cls = cls
        self._observe = observe
        self._hooked: list[type] = []

    def set(self) -> list[str]:
        """Hook the class. Raises ``InspectorError`` when that cannot be done; answers nothing else."""
        if self._cls.__module__ == "builtins":
            raise InspectorError("a class of the interpreter itself is not followed")
        self._hook(self._cls)
        if not self._cls.__weakrefoffset__ and not lib.ai_type_sees_ends(id(self._cls)):
            raise InspectorError("its instances cannot be referred to weakly, so their end would not be seen")
        self.follow_derived()
        return []

    def follow_derived(self) -> None:
        """Hook what is derived from the class meanwhile; what Python code derives reaches the destructor by itself."""
        for cls in closure(self._cls).difference(self._hooked):
            if self._observe is not None or not is_mutable(cls):
                self._hook(cls)

    def undo(self) -> None:
        """Put the slots back."""
        while self._hooked:
            lib.ai_type_unwatch(id(self._hooked.pop()))

    def _hook(self, cls: type) -> None:
        error = new_error()
        born = 0 if self._observe is None else id(self._observe)
        described = (cls.__basicsize__, cls.__flags__, id(cls.__base__), cls.__dictoffset__ & WORD, has_plain_init(cls), id(TypeHooks))
        check(lib.ai_type_watch(id(cls), *described, born, error), error)
        self._hooked.append(cls)
