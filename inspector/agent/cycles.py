"""Cycles across the boundary.

Python → proxy → native object → Python object that native code holds → Python.

The garbage collector sees a root at each object that native code holds, so such a cycle lives for
ever. The search follows Python's references forwards from each of those objects, up to the proxies
that it meets, and on through the references of their native objects. Types, modules, code and the
globals of functions are not followed: objects held through them have a root of their own. Worker
thread, in slices.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from types import BuiltinFunctionType, CodeType, FrameType, ModuleType
from typing import Any, Final, NamedTuple

from inspector.agent.boundary import Boundary, ForeignObject, HidesReferents, Reach
from inspector.agent.holding import how
from inspector.agent.plain import instance_dict, is_a, kind_of, module_of, offers

SLICE: Final = 2_000
"""Objects that are looked at without letting other threads run; about 2 ms."""
MOST_OBJECTS: Final = 200_000
"""Objects that are looked at from one foreign object."""
MOST_FOREIGN: Final = 10_000
"""Foreign objects that are started from."""
MOST_CYCLES: Final = 50

Key = tuple[int, int]
Steps = Generator[dict[str, Any], None, dict[str, Any]]


class Crossing(NamedTuple):
    """A step from one foreign object to another.

    It leads through Python to a proxy, and on through native objects.
    """

    target: Key
    python: tuple[dict[str, Any], ...]
    """Nodes from the foreign object, which is the first, to the proxy, which is the last."""
    row: int
    """The proxy's."""
    reach: Reach


class CycleSearch:
    """One search, over the knowledge of all boundaries."""

    def __init__(self, boundaries: Sequence[Boundary]) -> None:
        """Looks at nothing yet."""
        self._boundaries = boundaries
        self._looked_at = 0
        self._is_cut = False

    def steps(self, handle: int) -> Steps:
        """Yields its progress.

        Returns the cycles, only cycles through ``handle`` if it is not 0.
        """
        starts = {
            foreign.key: foreign for each in self._boundaries for foreign in each.foreign_objects()
        }
        self._is_cut = len(starts) > MOST_FOREIGN
        crossings: dict[Key, list[Crossing]] = {}
        for key in list(starts)[:MOST_FOREIGN]:
            crossings[key] = []
            for found in self._crossings(starts[key]):
                if found is None:
                    yield {"looked_at": self._looked_at, "found": sum(map(len, crossings.values()))}
                else:
                    crossings[key].append(found)
        cycles = [self._told(cycle, starts) for cycle in shortest_cycles(crossings)]
        if handle:
            cycles = [
                cycle
                for cycle in cycles
                if any(_same(node.get("handle", 0), handle) for node in cycle["nodes"])
            ]
        hidden = sorted(
            {
                kind
                for each in self._boundaries
                if offers(each, HidesReferents)
                for kind in each.hidden_kinds()
            }
        )
        report = {
            "cycles": cycles[:MOST_CYCLES],
            "count": len(cycles),
            "hidden_kinds": hidden[:MOST_CYCLES],
        }
        return {**report, "looked_at": self._looked_at, "is_cut": self._is_cut}

    def _crossings(self, start: ForeignObject) -> Iterator[Crossing | None]:
        """Crossings from a foreign object; ``None`` now and then, to let other threads run."""
        things: list[Any] = [start.thing]
        parents, seen = [-1], {id(start.thing)}
        waiting = deque([0])
        while waiting and len(things) < MOST_OBJECTS:
            index = waiting.popleft()
            self._looked_at += 1
            row, boundary = self._proxy_row(things[index])
            if row and boundary is not None:
                for reach in boundary.reaches(things[index]):
                    yield Crossing(
                        reach.key, _python_nodes(things, parents, index, row), row, reach
                    )
            elif is_followed(things[index]):
                for referent in gc.get_referents(things[index]):
                    if id(referent) not in seen:
                        seen.add(id(referent))
                        parents.append(index)
                        things.append(referent)
                        waiting.append(len(things) - 1)
            if self._looked_at % SLICE == 0:
                yield None
        self._is_cut |= bool(waiting)
        things.clear()

    def _proxy_row(self, thing: object) -> tuple[int, Boundary | None]:
        for boundary in self._boundaries:
            row = boundary.proxy_row(thing)
            if row:
                return row, boundary
        return 0, None

    def _told(
        self, cycle: Sequence[tuple[Key, Crossing]], starts: dict[Key, ForeignObject]
    ) -> dict[str, Any]:
        """A cycle as nodes and edges, the last edge leading to the first node."""
        nodes: list[dict[str, Any]] = []
        cut = ""
        for key, crossing in cycle:
            foreign = starts[key]
            nodes.append(
                {
                    "side": "native",
                    "text": foreign.text,
                    "handle": foreign.row,
                    "edge": "keeps alive",
                }
            )
            nodes += crossing.python
            cut = cut or _edge_to_cut(crossing.python)
            steps = " → ".join(crossing.reach.steps) or "holds"
            is_exact, kind = (
                crossing.reach.is_exact,
                str(crossing.python[-1]["text"]).removeprefix("proxy "),
            )
            nodes.append(
                {
                    "side": "native",
                    "text": f"{kind} object",
                    "handle": crossing.row,
                    "edge": steps,
                    "exact": is_exact,
                }
            )
        return {
            "nodes": nodes,
            "cut": cut,
            "exact": all(crossing.reach.is_exact for _, crossing in cycle),
        }


def is_followed(thing: object) -> bool:
    """Whether a cycle may go through the references of a thing."""
    if is_a(
        thing, type, ModuleType, CodeType, FrameType, BuiltinFunctionType, str, bytes, int, float
    ):
        return False
    return not (type(thing) is dict and module_of(thing))


def shortest_cycles(crossings: dict[Key, list[Crossing]]) -> list[list[tuple[Key, Crossing]]]:
    """The shortest cycle through each foreign object, each listed once, shortest first."""
    found: dict[frozenset[Key], list[tuple[Key, Crossing]]] = {}
    for start in crossings:
        cycle = _cycle_from(start, crossings)
        if cycle:
            found.setdefault(frozenset(key for key, _ in cycle), cycle)
    return sorted(found.values(), key=len)


def _cycle_from(start: Key, crossings: dict[Key, list[Crossing]]) -> list[tuple[Key, Crossing]]:
    came: dict[Key, tuple[Key, Crossing]] = {}
    waiting = deque([start])
    while waiting:
        key = waiting.popleft()
        for crossing in crossings.get(key, ()):
            if crossing.target == start:
                cycle = [(key, crossing)]
                while cycle[0][0] != start:
                    cycle.insert(0, came[cycle[0][0]])
                return cycle
            if crossing.target not in came:
                came[crossing.target] = key, crossing
                waiting.append(crossing.target)
    return []


def _python_nodes(
    things: list[Any], parents: list[int], index: int, row: int
) -> tuple[dict[str, Any], ...]:
    """The Python objects from the start to a proxy, each with how it holds the next.

    Dicts of instances are shown with their instance.
    """
    chain = [things[index]]
    while parents[index] >= 0:
        index = parents[index]
        chain.append(things[index])
    chain.reverse()
    nodes: list[dict[str, Any]] = []
    while len(chain) > 1:
        holder = chain.pop(0)
        if len(chain) > 1 and type(chain[0]) is dict and instance_dict(holder) is chain[0]:
            chain.pop(0)
        step = how(holder, chain[0])
        text = f"{kind_of(holder)} at {id(holder):#x}"
        nodes.append(
            {
                "side": "python",
                "text": text,
                "edge": step.text,
                "file": step.file,
                "line": step.line,
            }
        )
    nodes.append(
        {
            "side": "python",
            "text": f"proxy {kind_of(chain[0]).rpartition('.')[2]}",
            "handle": row,
            "edge": "owns a reference on",
        }
    )
    return tuple(nodes)


def _edge_to_cut(python: Sequence[dict[str, Any]]) -> str:
    """The edge that a person can change: the last Python reference before the proxy."""
    return str(python[-2]["edge"]) if len(python) > 1 else ""


def _same(number: int, other: int) -> bool:
    """Whether two numbers name one row, with or without the bit for foreign objects."""
    return number != 0 and number >> 1 == other >> 1
