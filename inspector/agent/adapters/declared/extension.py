"""Classes of an extension, followed through their type slots by native code.

The native part is ``native/crates/follow/src/extension``.

Needed to see births in classes whose attributes cannot be set, and ends of instances without weak
references. The class's attributes stay unchanged, even while hooked.
"""

from __future__ import annotations

import builtins

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.declared.hooks import Births, has_plain_init, is_mutable
from inspector.agent.adapters.declared.numbers import WORD
from inspector.errors import InspectorError
from inspector.wire import lib
from inspector.wire.hooks import hooks
from inspector.wire.status import check, new_error


def is_of_interpreter(cls: type) -> bool:
    """Whether a class is the interpreter's own.

    Extensions have classes of the module ``builtins`` as well: PyO3 unless told otherwise.
    """
    if cls.__module__ != "builtins":
        return False
    return vars(builtins).get(cls.__name__) is cls or hooks.library_of(cls) == hooks.library_of(int)


class TypeHooks:
    """The slots of one class and of its derived classes."""

    def __init__(self, cls: type, births: Births | None) -> None:
        """``births`` is given each new instance; ``None``: births are seen in another way."""
        self._cls = cls
        self._births = births
        self._hooked: list[type] = []

    def set(self) -> list[str]:
        """Hook the class.

        Raises ``InspectorError`` when that cannot be done; answers nothing else.
        """
        if is_of_interpreter(self._cls):
            raise InspectorError("a class of the interpreter itself is not followed")
        self._hook(self._cls)
        if not self._cls.__weakrefoffset__ and not self.sees_ends:
            raise InspectorError(
                "its instances cannot be referred to weakly, so their end would not be seen"
            )
        self.follow_derived()
        return []

    @property
    def sees_ends(self) -> bool:
        """Whether the destructor of the class, which is hooked, says when instances end."""
        return bool(lib.ai_type_sees_ends(id(self._cls)))

    def follow_derived(self) -> None:
        """Hook classes derived meanwhile; classes of Python code reach the destructor anyway."""
        for cls in closure(self._cls).difference(self._hooked):
            if self._births is not None or not is_mutable(cls):
                self._hook(cls)

    def undo(self) -> None:
        """Put the slots back."""
        while self._hooked:
            lib.ai_type_unwatch(id(self._hooked.pop()))

    def _hook(self, cls: type) -> None:
        error = new_error()
        born = 0 if self._births is None else id(self._births)
        described = (
            cls.__basicsize__,
            cls.__flags__,
            id(cls.__base__),
            cls.__dictoffset__ & WORD,
            has_plain_init(cls),
            id(TypeHooks),
        )
        check(lib.ai_type_watch(id(cls), *described, born, error), error)
        self._hooked.append(cls)
