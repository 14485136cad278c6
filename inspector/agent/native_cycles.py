"""Cycles through native objects of classes without support of the collector.

The viewer knows from an object's destructor which Python objects it holds, and gives their
addresses. The search goes from each native object backwards over Python's references. It meets an
object at a given address only when a reference leads to it, so no address is ever trusted. Worker
thread, in slices.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from inspector.agent.boundary import Boundary
from inspector.agent.cycles import MOST_CYCLES, CycleSearch, Steps, is_followed
from inspector.agent.holding import how, is_own
from inspector.agent.plain import instance_dict, kind_of

OWN_FOLDER: Final = str(Path(__file__).parent)
MOST_STARTS: Final = 256
"""Native objects that are started from."""
AT_ONCE: Final = 8
"""Objects whose referrers one walk through the heap finds."""
DEEPEST: Final = 16
MOST_THINGS: Final = 4_000
"""Objects that are met from one native object."""
EDGE: Final = "holds, as its destructor tells"


def all_cycles(boundaries: Sequence[Boundary], handle: int, held: Sequence[Sequence[int]]) -> Steps:
    """Cycles that the boundaries tell, then cycles through the objects of ``held``.

    Each line of ``held`` is a row and the addresses of the objects that the row's object holds.
    """
    report = yield from CycleSearch(boundaries).steps(handle)
    if not held:
        return report
    more = yield from NativeCycles(boundaries, held).steps(handle)
    report["cycles"] = [*report["cycles"], *more["cycles"]][:MOST_CYCLES]
    for name in ("count", "looked_at"):
        report[name] += more[name]
    report["is_cut"] |= more["is_cut"]
    return report


class NativeCycles:
    """One search, over the objects of some rows."""

    def __init__(self, boundaries: Sequence[Boundary], held: Sequence[Sequence[int]]) -> None:
        """Finds the objects; looks at nothing else yet."""
        self._boundaries = boundaries
        self._rows = {line[0]: frozenset(line[1:]) for line in held if len(line) > 1}
        self._holders: dict[int, list[int]] = {}
        """Rows of the native objects that hold an object, by its address."""
        for row, places in self._rows.items():
            for place in places:
                self._holders.setdefault(place, []).append(row)
        self._things: list[Any] = []
        self._parents: list[int] = []
        self._looked_at = 0
        self._is_cut = False

    def steps(self, handle: int) -> Steps:
        """Yields its progress; returns the cycles, the shortest one through each object."""
        wanted = [row for row in self._rows if not handle or row >> 1 == handle >> 1]
        self._is_cut = len(wanted) > MOST_STARTS
        found: dict[frozenset[int], dict[str, Any]] = {}
        for row in wanted[:MOST_STARTS]:
            for cycle in self._cycle_through(row):
                if cycle is None:
                    yield {"looked_at": self._looked_at, "found": len(found)}
                else:
                    found.setdefault(frozenset(map(id, self._chain(cycle))), self._told(cycle))
            self._things.clear()
            self._parents.clear()
        cycles = sorted(found.values(), key=lambda cycle: len(cycle["nodes"]))
        return {
            "cycles": cycles,
            "count": len(cycles),
            "looked_at": self._looked_at,
            "is_cut": self._is_cut,
        }

    def _cycle_through(self, row: int) -> Iterator[int | None]:
        """The last object of the shortest way back to a row's object; ``None``: not yet found."""
        start = self._object(row)
        if start is None:
            return
        self._things.append(start)
        self._parents.append(-1)
        met, wanted, frontier = {id(start)}, self._rows[row], [0]
        del start
        for _ in range(DEEPEST):
            following: list[int] = []
            while frontier:
                batch, frontier = frontier[:AT_ONCE], frontier[AT_ONCE:]
                for index in self._referrers(batch, met):
                    if id(self._things[index]) in wanted:
                        yield index
                        return
                    following += [index, *self._native_holders(index, met)]
                yield None
            frontier = following
            if not frontier:
                return
            if len(self._things) > MOST_THINGS:
                break
        self._is_cut = True

    def _referrers(self, batch: Sequence[int], met: set[int]) -> list[int]:
        """New objects with a reference to the batch, by a single walk through the heap."""
        things = tuple(self._things[index] for index in batch)
        places = {id(thing): index for thing, index in zip(things, batch, strict=True)}
        found = gc.get_referrers(*things)
        own, new = {id(things), id(found), id(self._things)}, []
        while found:
            holder = found.pop()
            self._looked_at += 1
            is_new = id(holder) not in met and id(holder) not in own
            if is_new and is_followed(holder) and not is_own(holder, OWN_FOLDER):
                met.add(id(holder))
                held = (places.get(id(each)) for each in gc.get_referents(holder))
                parent = next((index for index in held if index is not None), None)
                if parent is not None:
                    new.append(self._add(holder, parent))
        return new

    def _native_holders(self, index: int, met: set[int]) -> list[int]:
        """Native objects that hold an object."""
        new = []
        for row in self._holders.get(id(self._things[index]), ()):
            thing = self._object(row)
            if thing is not None and id(thing) not in met:
                met.add(id(thing))
                new.append(self._add(thing, index))
        return new

    def _add(self, thing: Any, parent: int) -> int:
        self._things.append(thing)
        self._parents.append(parent)
        return len(self._things) - 1

    def _object(self, row: int) -> object | None:
        found = (each.python_object(row) for each in self._boundaries)
        return next((thing for thing in found if thing is not None), None)

    def _row(self, thing: object) -> int:
        return next((row for each in self._boundaries if (row := each.proxy_row(thing))), 0)

    # the answer -----------------------------------------------------------------------------------

    def _chain(self, index: int) -> list[Any]:
        """The objects from the last one met to the native object that was started from."""
        chain = []
        while index >= 0:
            chain.append(self._things[index])
            index = self._parents[index]
        return chain

    def _told(self, index: int) -> dict[str, Any]:
        """A cycle as nodes and edges; the edge of the native object leads to the first node."""
        nodes: list[dict[str, Any]] = []
        chain, cut = self._chain(index), ""
        while len(chain) > 1:
            holder = chain.pop(0)
            if len(chain) > 1 and type(chain[0]) is dict and instance_dict(holder) is chain[0]:
                chain.pop(0)
            row = self._row(holder)
            if row and id(chain[0]) in self._rows.get(row, ()):
                nodes.append(_native(holder, row))
                continue
            step = how(holder, chain[0])
            place: Mapping[str, Any] = {"file": step.file, "line": step.line}
            text = f"{kind_of(holder)} at {id(holder):#x}"
            nodes.append({"side": "python", "text": text, "edge": step.text, **place})
            cut = step.text
        nodes.append(_native(chain[0], self._row(chain[0])))
        return {"nodes": nodes, "cut": cut, "exact": False}


def _native(thing: object, row: int) -> dict[str, Any]:
    text = f"{kind_of(thing)} at {id(thing):#x}"
    return {"side": "native", "text": text, "handle": row, "edge": EDGE, "exact": False}
