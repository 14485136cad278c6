"""Why a Python object lives: the shortest path from a root to each of its holders.

A breadth-first search over references, outwards from the object to modules, classes and running
functions. One walk through the heap (``gc.get_referrers``) is one step of it; between steps other
threads run, and the viewer gets the progress and may give up. ``gc.get_objects`` would need fewer
walks, but its list holds *every* object of the program meanwhile, and an object that another thread
releases would be finalised on the tool's thread. Nothing that the search met is referred to when it
ends. Worker thread.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from types import FrameType, MappingProxyType, ModuleType
from typing import Any, Final

from inspector.agent.hidden_holders import hidden_tasks, is_current, is_tree
from inspector.agent.holding import Holding, how, is_own, local_of, locals_of, running_frames
from inspector.agent.plain import hides_referents, instance_dict, is_a

OWN_FOLDER: Final = str(Path(__file__).parent)
MOST_HOLDERS: Final = 12
"""Holders of the object whose paths are looked for."""
MOST_OBJECTS: Final = 20_000
"""Objects that a search may hold; then it says that it was cut."""
DEEPEST: Final = 24
"""Steps from the object to a root that are tried."""
STEP_SECS: Final = 0.005
"""A walk should take no longer; several objects share one where walks are short."""
MOST_AT_ONCE: Final = 16

_COUNTED_TOO: Final = sys.getrefcount([object()][0])
"""References that the count itself adds: its argument."""

Progress = dict[str, Any]
Steps = Generator[Progress, None, dict[str, Any]]
Frames = Callable[[], Iterator[tuple[str, FrameType]]]


class Search:
    """One search. ``steps`` is run to its end, or closed half-way."""

    __slots__ = (
        "_at_once",
        "_branches",
        "_clock",
        "_depths",
        "_exits",
        "_frames",
        "_frames_seen",
        "_ids",
        "_joins",
        "_longest_secs",
        "_native",
        "_parents",
        "_references",
        "_roots",
        "_things",
    )

    def __init__(
        self,
        thing: object,
        native_places: Mapping[int, str],
        exit_places: Mapping[int, str] = MappingProxyType({}),
        *,
        clock: Callable[[], float] = time.perf_counter,
        frames: Frames = running_frames,
    ) -> None:
        """Looks for nothing yet.

        ``native_places``: dicts in which native code keeps Python objects, by ``id``;
        ``exit_places``: what ``atexit`` keeps; ``frames``: the functions that run now.
        """
        self._things: list[Any] = [thing]
        self._ids: dict[int, int] = {id(thing): 0}
        self._parents = [-1]
        self._branches = [-1]
        self._depths = [0]
        self._roots: dict[int, tuple[int, Holding]] = {}
        self._joins: dict[int, tuple[int, int]] = {}
        self._native = native_places
        self._exits = exit_places
        self._clock = clock
        self._frames = frames
        self._at_once = 1
        self._longest_secs = 0.0
        self._frames_seen = 0
        self._references = (0, 0)

    def steps(self) -> Steps:
        """Yields how far it is; returns the paths found, shortest first."""
        frontier = [0]
        depth = 0
        while frontier and depth < DEEPEST and len(self._things) < MOST_OBJECTS:
            self._find_locals(frontier)
            yield self._progress(depth)
            following: list[int] = []
            waiting = self._open(frontier)
            while waiting:
                batch, waiting = waiting[: self._at_once], waiting[self._at_once :]
                following += self._walk(batch)
                yield self._progress(depth)
            frontier = following
            depth += 1
        is_cut = bool(self._open(frontier))
        report = {
            "paths": self._paths(),
            "holders": sum(depth == 1 for depth in self._depths) + self._local_holders(),
            "looked_at": len(self._things),
            "is_cut": is_cut,
            "references": self._references[0],
            "known_references": self._references[1],
            "address": id(self._things[0]),
            "hides_referents": hides_referents(type(self._things[0])),
            "longest_step_ms": round(self._longest_secs * 1000, 2),
        }
        self._things.clear()
        return report

    def _progress(self, depth: int) -> Progress:
        return {"looked_at": len(self._things), "depth": depth, "found": len(self._roots)}

    def _open(self, frontier: list[int]) -> list[int]:
        """The frontier's objects whose branch has no path yet."""
        return [
            index
            for index in frontier
            if self._branches[index] < 0 or self._branches[index] not in self._roots
        ]

    def _walk(self, batch: list[int]) -> list[int]:
        """One walk through the heap: the new referrers of some objects."""
        began = self._clock()
        # a tuple: from another sequence the call would make a tuple, and find it
        wanted = tuple(self._things[index] for index in batch)
        found = gc.get_referrers(*wanted)
        known = set(map(id, found))
        found += [task for task in hidden_tasks(wanted) if id(task) not in known]
        took_secs = self._clock() - began
        self._longest_secs = max(self._longest_secs, took_secs)
        self._at_once = max(
            1, min(MOST_AT_ONCE, int(self._at_once * STEP_SECS / max(took_secs, 1e-6) / 2))
        )
        own = {id(wanted), id(found), id(self._things)}
        if batch == [0]:
            self._count_references(found, own)
        new: list[int] = []
        while found:
            holder = found.pop()
            if id(holder) not in own and not is_own(holder, OWN_FOLDER):
                new += self._meet(holder, batch)
        return new

    def _count_references(self, holders: list[Any], own: set[int]) -> None:
        """The number of references on the object, and how many belong to its holders.

        Holders are ``holders`` and running functions. Both numbers are of one moment.
        """
        # the list of the search and the tuple of the walk
        count = sys.getrefcount(self._things[0]) - _COUNTED_TOO - 2
        place = id(self._things[0])
        known = sum(
            id(each) == place
            for holder in holders
            if id(holder) not in own
            for each in gc.get_referents(holder)
        )
        for _, frame in self._frames():
            if not is_own(frame, OWN_FOLDER):
                known += sum(id(value) == place for _, value in locals_of(frame))
            del frame
        self._references = (count, min(known, count))

    def _meet(self, holder: Any, batch: list[int]) -> list[int]:
        """Note a holder of one or more of the batch; its index when it is new and leads on."""
        new: list[int] = []
        for held in batch if len(batch) == 1 else self._held_by(holder, batch):
            known = self._ids.get(id(holder))
            if known is None:
                new += self._add(holder, held)
            elif known and self._branches[known] != self._branches[held]:
                self._joins.setdefault(self._branches[held], (known, held))
        return new

    def _add(self, holder: Any, held: int) -> list[int]:
        """A new holder of an object; its index unless it is a root, or one too many."""
        index = len(self._things)
        branch = self._branches[held] if held else index
        if branch in self._roots or (
            not held and sum(depth == 1 for depth in self._depths) >= MOST_HOLDERS
        ):
            return []
        self._things.append(holder)
        self._ids[id(holder)] = index
        self._parents.append(held)
        self._branches.append(branch)
        self._depths.append(self._depths[held] + 1)
        return [] if self._is_root(index) else [index]

    def _held_by(self, holder: Any, batch: list[int]) -> list[int]:
        """Which of the batch a holder refers to."""
        referents = {id(referent) for referent in gc.get_referents(holder)}
        return [index for index in batch if id(self._things[index]) in referents]

    def _is_root(self, index: int) -> bool:
        """Whether a holder is a root; then it is noted as its branch's."""
        holder, held = self._things[index], self._parents[index]
        if id(holder) in self._exits:
            self._roots.setdefault(
                self._branches[index], (index, Holding("exit", self._exits[id(holder)]))
            )
            return True
        if is_current(holder, (self._things,)):
            self._roots.setdefault(
                self._branches[index], (index, Holding("context", "context that a thread runs in"))
            )
            return True
        place = self._native.get(id(holder)) if type(holder) is dict else None
        if place is not None:
            root = Holding("native", f"native code holds it: {place}")
        elif is_a(holder, dict, type, ModuleType):
            if is_a(holder, type, ModuleType) and held and type(self._things[held]) is dict:
                # the dict of a class or module is shown with it
                index, held = held, self._parents[held]
            root = how(holder, self._things[held])
        else:
            return False
        if root.is_root or place is not None:
            self._roots.setdefault(self._branches[index], (index, root))
            return True
        return False

    # running functions ----------------------------------------------------------------------------

    def _find_locals(self, frontier: list[int]) -> None:
        """Roots among the locals of running functions, which no walk through the heap sees."""
        began = self._clock()
        wanted = {id(self._things[index]): index for index in self._open(frontier)}
        for thread, frame in self._frames():
            if is_own(frame, OWN_FOLDER):
                continue
            for name, value in locals_of(frame):
                index = wanted.get(id(value))
                if index is not None:
                    self._add_local(index, local_of(thread, frame, name))
            del frame
        self._longest_secs = max(self._longest_secs, self._clock() - began)

    def _add_local(self, index: int, holding: Holding) -> None:
        """A running function holds an object of the search."""
        if index:
            self._roots.setdefault(self._branches[index], (index, holding))
        else:
            self._frames_seen += 1
            self._roots[-1 - self._frames_seen] = (0, holding)

    def _local_holders(self) -> int:
        return self._frames_seen

    # the answer -----------------------------------------------------------------------------------

    def _paths(self) -> list[dict[str, Any]]:
        """Paths from roots to the object; then holders without a root."""
        paths = [self._path(self._chain(index, root), root) for index, root in self._roots.values()]
        paths += [
            self._joined(index)
            for index, depth in enumerate(self._depths)
            if depth == 1 and index not in self._roots
        ]
        paths.sort(key=lambda path: (not path["root"], len(path["steps"])))
        return paths[:MOST_HOLDERS]

    def _chain(self, index: int, root: Holding | None = None) -> list[int]:
        """The objects from a root down to the object searched for.

        An object that is a root itself is left out: the root's own entry names it.
        """
        chain = []
        if root is not None and root.kind != "local":
            index = self._parents[index]
        while index >= 0:
            chain.append(index)
            index = self._parents[index]
        return chain

    def _joined(self, branch: int) -> dict[str, Any]:
        """The path of a holder that met another one's path on its way.

        Without such a path, the holder alone.
        """
        known, held = self._joins.get(branch, (-1, -1))
        index, root = (
            self._roots.get(self._branches[known], (-1, None)) if known >= 0 else (-1, None)
        )
        upper = self._chain(index, root) if root is not None else []
        if root is not None and known in upper:
            return self._path(upper[: upper.index(known) + 1] + self._chain(held), root)
        if root is not None and known == index:
            return self._path(self._chain(held), root)
        return self._path(self._chain(branch), None)

    def _path(self, chain: list[int], root: Holding | None) -> dict[str, Any]:
        """The steps down a chain. Dicts of instances are shown with their instance."""
        steps = [] if root is None else [root]
        things = [self._things[index] for index in chain]
        top = id(things[0]) if root is None else 0
        while len(things) > 1:
            holder, held = things[0], things[1]
            if len(things) > 2 and type(held) is dict and instance_dict(holder) is held:
                held = things[2]
                del things[1]
            if not is_tree(held):  # the inside of a context is told by its variable
                steps.append(how(holder, held))
            del things[0]
        told = [step._asdict() for step in steps]
        return {"root": root is not None, "top": top, "steps": told}


def search(
    thing: object,
    native_places: Mapping[int, str],
    exit_places: Mapping[int, str] = MappingProxyType({}),
) -> Steps:
    """The steps of a search for the holders of an object."""
    return Search(thing, native_places, exit_places).steps()
