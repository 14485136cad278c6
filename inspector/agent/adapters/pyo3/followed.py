"""One class of an extension at work: its slots are hooked, and its instances have rows."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.declared.hooks import HEAP_FLAG
from inspector.agent.adapters.declared.numbers import number_of
from inspector.agent.adapters.extension_classes import instances_beyond
from inspector.agent.adapters.pyo3.classes import Found
from inspector.agent.adapters.stacks import NativeStacks
from inspector.agent.faults import Faults
from inspector.agent.plain import names_of
from inspector.source_places import packages_of
from inspector.wire.declarations import Declaration
from inspector.wire.hooks import hooks

LEAST_MISSED: Final = 500
"""References to a class that are no instance's: registries of functions by class have many."""


class Hosted:
    """A class that a declaration names and that has the rows of this adapter."""

    def __init__(
        self,
        rows: Callable[[], int],
        *,
        name: str = "pyo3",
        leave: Callable[[], None] = lambda: None,
    ) -> None:
        """``rows`` counts them; ``leave`` stops following where the declaration alone asks it."""
        self.name = name
        self._rows = rows
        self._leave = leave

    def __len__(self) -> int:
        """Rows of the class that live."""
        return self._rows()

    def undo(self) -> None:
        """Stop, unless the class is followed without the declaration as well."""
        self._leave()


def is_plain(declaration: Declaration, packages: Collection[str]) -> bool:
    """Whether a declaration says no more of a class than that it is to be followed.

    ``packages``: their frames name no site.
    """
    says_more = (
        declaration.handle,
        declaration.released,
        declaration.closers,
        declaration.part_of,
        declaration.watch,
        declaration.library,
    )
    is_named = declaration.name != declaration.cls.rpartition(".")[2]
    return (
        not any(says_more) and not is_named and set(packages_of(declaration.hide)) <= set(packages)
    )


class FollowedClass:
    """The hooks and rows of exactly one class. Any one thread at a time."""

    __slots__ = (
        "_held",
        "_reference",
        "_settled",
        "address",
        "found_name",
        "hidden",
        "is_pyo3",
        "library",
        "rows",
    )

    def __init__(self, found: Found, stacks: NativeStacks, faults: Faults) -> None:
        """Hooks the class. Raises when its slots cannot be hooked.

        The library keeps its own classes for ever. A class that the program derived is not held.
        """
        self.address = id(found.cls)
        self.found_name = f"{found.origin}.{found.name}"
        self.library, self.is_pyo3 = found.library, found.is_pyo3
        self._settled: int | None = None
        """References to the class beside those of rows, after the newest search."""
        self.hidden: set[int] = set()
        """Constants: instances that the class keeps itself. They have no rows."""
        self.rows: Any = hooks.Instances(
            type_index=0,
            closes=False,
            handle=None,
            released=None,
            test="",
            number=0,
            stacks=stacks.native,
            number_of=number_of,
            note=faults.add,
            fail=faults.add,
        )
        self.rows.describe(found.name, found.origin, found.is_pyo3)
        self._held: type | None = None if hooks.is_of_python(found.cls) else found.cls
        address = self.address

        def gone(_: object, forget: Any = hooks.forget_class) -> None:
            forget(address)

        self._reference = weakref.ref(found.cls, gone if self._held is None else None)
        hooks.follow_class(found.cls, self.rows)

    @property
    def cls(self) -> type | None:
        """The class; ``None``: the program dropped it."""
        return self._reference()

    def hide_constants(self, kept: Iterable[object]) -> None:
        """Give no row to the instances among these, which the library keeps for ever.

        Nor to those that are attributes of the class, as those of an enum are.
        """
        cls = self.cls
        own = () if cls is None else [value for _, value in names_of(cls)]
        for value in (*own, *kept):
            if type(value) is cls and id(value) not in self.hidden and self.rows.hide(value):
                self.hidden.add(id(value))

    @property
    def is_heap(self) -> bool:
        """Whether each instance refers to the class, so that their number shows."""
        cls = self.cls
        return cls is not None and bool(cls.__flags__ & HEAP_FLAG)

    def beyond(self) -> int | None:
        """References to the class beside those of its rows; ``None``: they say nothing."""
        cls = self.cls
        return sys.getrefcount(cls) - len(self.rows) if cls is not None and self.is_heap else None

    def settle(self) -> None:
        """A search has given a row to each instance that it could find."""
        self._settled = self.beyond()

    @property
    def may_have_more(self) -> bool:
        """Whether instances may have been born since the search where no hook sees."""
        now = self.beyond()
        return now is None or self._settled is None or now > self._settled

    @property
    def missed(self) -> int:
        """About how many instances live that a search did not find; 0 where they are too few."""
        cls = self.cls
        if self._settled is None or cls is None or not self.is_heap:
            return 0
        more = instances_beyond(cls, len(self.rows))
        return more if more >= LEAST_MISSED else 0

    def __len__(self) -> int:
        """Instances that have rows."""
        hidden: int = sum(map(self.rows.has, self.hidden))
        return len(self.rows) - hidden

    def unhook(self) -> None:
        """Restore the slots, also of classes that inherited them; rows stay as they are."""
        cls = self.cls
        for each in () if cls is None else closure(cls):
            hooks.leave_class(each)
        self._held = None

    def undo(self) -> None:
        """Restore the slots and forget the rows."""
        self.unhook()
        self.rows.forget()
