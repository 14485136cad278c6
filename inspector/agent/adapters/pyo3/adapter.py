"""The adapter of extensions: rows for the objects of every Rust extension module made by PyO3.

No declaration is needed. A class or library of another extension (Cython, C, pybind11, nanobind) is
followed in the same way when a person names it.

Births and ends are seen in the type slots ``tp_alloc`` and ``tp_dealloc``
(``native/python/classes.c``). Objects that live already are found by a search through memory
(``native/crates/follow/src/search``), and so are births that reach neither slot. A class of which a
declaration says more than its name is left to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from types import ModuleType
from typing import Any, Final

from inspector.agent.adapters.classes import closure
from inspector.agent.adapters.imports import ImportWatch
from inspector.agent.adapters.protocol import CloseVerdict, Following, HostedClosing
from inspector.agent.adapters.pyo3.boundary import Pyo3Boundary
from inspector.agent.adapters.pyo3.classes import (
    Found,
    Libraries,
    module_constants,
    packages_of_library,
)
from inspector.agent.adapters.pyo3.followed import FollowedClass, Hosted, is_plain
from inspector.agent.adapters.stacks import NativeStacks
from inspector.agent.faults import Faults
from inspector.agent.plain import mro_of
from inspector.agent.referrers import describe_referrers
from inspector.errors import InspectorError
from inspector.runtime.sites import OWN_MODULES
from inspector.wire.declarations import Declaration
from inspector.wire.hooks import hooks

LOOK_SECS: Final = 1.0
"""From one look for new classes to the next, at least."""
REST: Final = 100
"""Times as long as a look took pass before the next one begins."""
SEARCH_REST: Final = 50
"""The same of searches for births that no hook saw."""
MOST_STEPS: Final = 30
"""Steps of a search in one poll; viewers wait meanwhile."""
BLIND: Final = (
    "objects of Rust extension modules that lived before the agent have no rows: the system lets"
    " the process read no memory by process_vm_readv"
)
Clock = Callable[[], float]


class Pyo3Adapter:
    """Follows the classes of PyO3's libraries. Threads as ``Adapter`` says."""

    name: Final = "pyo3"

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        """Looks at nothing yet."""
        self.claimed: Callable[[], Collection[type]] = tuple
        """The classes that declarations follow."""
        self._clock = clock
        self._faults = Faults()
        self._libraries = Libraries()
        self._watch = ImportWatch(self._imported)
        self._stacks: dict[tuple[str, ...], NativeStacks] = {}
        self._classes: dict[int, FollowedClass] = {}
        self._refused: dict[str, str] = {}
        self._turns: dict[int, object] = {}
        """Classes that a thread begins to follow now, by address, each with that thread's turn."""
        self._search: Iterator[int] | None = None
        self._due_at = self._search_due_at = float("-inf")
        self._search_began_at = 0.0
        self._is_attached = False
        self._is_blind = False
        """The newest search could read no memory."""

    def attach(self) -> None:
        """Watch imports. Classes that are there already are found by ``scan``."""
        self._is_attached = True
        self._watch.set()

    def detach(self) -> None:
        """Restore all slots and forget the rows."""
        self._stop()
        while self._classes:
            self._classes.popitem()[1].undo()

    def leave(self) -> None:
        """The interpreter ends: hold no class any more. Rows stay as they are."""
        self._stop()
        while self._classes:
            followed = self._classes.popitem()[1]
            followed.rows.let_go()
            followed.unhook()

    def scan(self) -> Iterator[int]:
        """Rows for the objects that live now and have none."""
        self.look()
        yield from self._search_steps()

    def poll(self) -> None:
        """Look for new classes now and then, and for their objects that live already."""
        if self._clock() >= self._due_at:
            self.look()
        if self._search is None and self._clock() >= self._search_due_at and self._may_have_more():
            self._search = self._search_steps()
        if self._search is not None:
            for _ in range(MOST_STEPS):
                if next(self._search, None) is None:
                    self._search = None
                    break
                time.sleep(0)
        fault = self._faults.take()
        if fault is not None:
            raise fault

    def following(self) -> Following:
        """The classes that have rows, and the classes that cannot be followed."""
        classes = sorted(name for name, count in self.rows().items() if count)
        refused = [f"{name}: {reason}" for name, reason in sorted(self._refused.items())]
        refused += [_missed(name, count) for name, count in sorted(self.missed().items())]
        if self._is_blind:
            refused.append(BLIND)
        return Following(tuple(classes), tuple(refused))

    def missed(self) -> dict[str, int]:
        """About how many objects live by class that no search found, where they are many."""
        every = [] if self._is_blind else list(self._classes.values())
        found = {each.found_name: each.missed for each in every}
        return {name: count for name, count in found.items() if count}

    def constants(self) -> dict[str, int]:
        """Classes whose only objects are constants that the library keeps, each with their number.

        They have no rows.
        """
        every = list(self._classes.values())
        return {each.found_name: len(each.hidden) for each in every if each.hidden and not each}

    def rows(self) -> dict[str, int]:
        """Objects that have rows by class, also where there is none."""
        found: dict[str, int] = {}
        for each in list(self._classes.values()):
            found[each.found_name] = found.get(each.found_name, 0) + len(each)
        return found

    def followed(self) -> list[type]:
        """The classes that are followed."""
        known = (each.cls for each in list(self._classes.values()))
        return [cls for cls in known if cls is not None]

    def destructors(self) -> list[tuple[int, int]]:
        """Address of each followed class, and of its own destructor."""
        return [(id(cls), hooks.destructor_of(cls)) for cls in self.followed()]

    def opt_in(self, cls: type, declaration: Declaration) -> HostedClosing | None:
        """Follow a class that a declaration names and says no more of.

        Otherwise the class and the classes derived from it are left to the declaration.
        """
        found = self._libraries.of(cls)
        if found is None:
            return self._opt_in_other(cls, declaration)
        if is_plain(declaration, packages_of_library(found.library, found.origin)):
            self._follow(found, ())
            followed = self._classes.get(id(cls))
            return None if followed is None else Hosted(followed.__len__)
        self._drop(list(closure(cls)))
        return None

    def _opt_in_other(self, cls: type, declaration: Declaration) -> HostedClosing | None:
        """The same for a class of an extension that is not PyO3's."""
        found = self._libraries.any_of(cls)
        if found is None or declaration.made_by:
            return None
        if not is_plain(declaration, packages_of_library(found.library, found.origin)):
            return None
        self._libraries.chosen.append(cls)
        self._follow(found, ())
        refusal = self._refused.get(f"{found.origin}.{found.name}")
        if refusal:
            raise InspectorError(refusal)
        self.look()  # the classes that the program derived

        def count() -> int:
            known = map(self._classes.get, map(id, closure(cls)))
            return sum(len(each) for each in known if each is not None)

        def leave() -> None:
            self._libraries.chosen.remove(cls)
            self._drop(list(closure(cls)))

        return Hosted(count, name="extension", leave=leave)

    def opt_in_library(self, path: str) -> HostedClosing:
        """Follow every class of a library, also classes that come later."""
        self._libraries.named.add(path)
        self.look()

        def count() -> int:
            every = list(self._classes.values())
            return sum(len(each) for each in every if each.library == path)

        def leave() -> None:
            self._libraries.named.discard(path)
            every = list(self._classes.values())
            known = [each.cls for each in every if each.library == path and not each.is_pyo3]
            self._drop([cls for cls in known if cls is not None])

        return Hosted(count, name="extension", leave=leave)

    def _drop(self, classes: Sequence[type]) -> None:
        """Follow these no more; their rows go."""
        for cls in classes:
            left = self._classes.pop(id(cls), None)
            if left is not None:
                left.undo()

    def _may_have_more(self) -> bool:
        """Whether objects may have been born where no hook sees. PyO3's births are all seen."""
        return any(each.may_have_more for each in list(self._classes.values()) if not each.is_pyo3)

    def owns(self, row: int) -> bool:
        """Whether a living object has this row."""
        return self.boundary.python_object(row) is not None

    def close(
        self,
        row: int,
        *,
        although_held: bool,
        preview: bool,
        withdraw_after_secs: float | None = None,
    ) -> CloseVerdict:
        """Refused: no declaration says how such an object closes."""
        return CloseVerdict("refused", "no declaration says how objects of this class close")

    def referrers(self, row: int) -> Sequence[str]:
        """The Python objects that hold the row's object."""
        thing = self.boundary.python_object(row)
        return [] if thing is None else describe_referrers(thing)

    @property
    def boundary(self) -> Pyo3Boundary:
        """The objects that have rows, for questions about holders."""
        return Pyo3Boundary(lambda: list(self._classes.values()))

    def _stop(self) -> None:
        self._is_attached = False
        self._watch.undo()
        self._search = None

    def _imported(self, module: ModuleType) -> None:
        """A module was imported just now. On the thread that imports it; must not raise."""
        try:
            path = getattr(module.__spec__, "origin", None)
            if type(path) is str and ".so" in path and self._libraries.is_pyo3(path, path):
                self.look()
        # an import of the program must not fail because of the tool
        except Exception as error:
            self._faults.add(error)

    def look(self) -> None:
        """Follow the classes that came since the last look."""
        began = self._clock()
        claimed = set(map(id, self.claimed()))
        for address in [each for each, known in list(self._classes.items()) if known.cls is None]:
            del self._classes[address]
        all_found = self._libraries.classes() if self._is_attached else []
        news = [found for found in all_found if id(found.cls) not in self._classes]
        constants = {path: module_constants(path) for path in {found.library for found in news}}
        for found in news:
            if not any(id(each) in claimed for each in mro_of(found.cls)):
                self._follow(found, constants[found.library])
        now = self._clock()
        self._due_at = now + max(LOOK_SECS, (now - began) * REST)

    def _follow(self, found: Found, constants: Sequence[object]) -> None:
        name, turn, address = f"{found.origin}.{found.name}", object(), id(found.cls)
        if name in self._refused or self._turns.setdefault(address, turn) is not turn:
            return
        try:
            if address in self._classes:
                return
            followed = FollowedClass(found, self._stacks_of(found), self._faults)
            self._classes[address] = followed
        except Exception as error:  # one odd class must not keep the others from being followed
            self._refused[name] = f"{error}" or type(error).__name__
            return
        finally:
            self._turns.pop(address, None)
        followed.hide_constants(constants)
        self._search = self._search_steps()

    def _stacks_of(self, found: Found) -> NativeStacks:
        packages = packages_of_library(found.library, found.origin)
        if packages not in self._stacks:
            self._stacks[packages] = NativeStacks(OWN_MODULES, packages)
        return self._stacks[packages]

    def _search_steps(self) -> Iterator[int]:
        """A search through memory for the objects of all classes; yields the rows made so far."""
        owners: dict[type, Any] = {}
        for each in list(self._classes.values()):
            cls = each.cls
            if cls is not None:
                owners[cls] = each.rows
        self._search_began_at = self._clock()
        made, is_more = 0, bool(owners)
        has_classes = is_more
        search = hooks.Search(owners)
        owners.clear()
        while is_more:
            more, is_more = search.step()
            made += more
            yield made
        self._is_blind = has_classes and search.is_blind()
        for each in list(self._classes.values()):
            each.settle()
        now = self._clock()
        rest = max(LOOK_SECS, (now - self._search_began_at) * SEARCH_REST)
        self._search_due_at = now + rest


def _missed(name: str, count: int) -> str:
    return (
        f"about {count:,} more objects of {name} live, and have no rows: they lie in memory of an "
        "allocator whose records are not known"
    )
