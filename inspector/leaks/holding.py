"""The holders of a handle that leaked, in words: its counts, the path to a root, a cycle.

Runs in the process that is judged, on the thread that judges. Nothing that a search met is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import FrameType
from typing import Any, Final

from inspector.agent.boundary import Boundary
from inspector.agent.cycles import CycleSearch
from inspector.agent.exit_callbacks import exit_places
from inspector.agent.holding import running_frames
from inspector.agent.process import boundaries, exit_callback
from inspector.agent.retainers import Search
from inspector.leaks.leak import frame_text
from inspector.wire import ffi, lib
from inspector.wire.text import take_buffer

HARNESSES: Final = frozenset({"_pytest", "pluggy", "xdist", "<frozen runpy>"})
"""Parts of the paths of files that run tests and programs."""
OF_HARNESS: Final = ("_pytest.", "pluggy.", "xdist.")
MOST_SEARCHES: Final = 20
"""Leaks of one judgement whose holders are searched for: each search walks through the heap."""
MOST_STEPS: Final = 12
BY_PYTEST: Final = "pytest itself, for a fixture or a report"

Frames = Callable[[], Iterator[tuple[str, FrameType]]]


@dataclass(frozen=True, slots=True)
class Holder:
    """The reason why a handle lives."""

    native: tuple[str, ...] = ()
    """Native references that have a name."""
    path: tuple[str, ...] = ()
    """From a root to the handle; empty: none was found."""
    note: str = ""
    """Why there is no path, or why it may not be all; ``""``: it is."""
    cycle: tuple[str, ...] = ()
    """A cycle across the boundary, from edge to edge; empty: none was found."""
    cut: str = ""
    """The edge of the cycle that a person can change."""


class HolderSearch:
    """Searches of one judgement. Used once, on one thread."""

    def __init__(self, folder: str, frames: Frames = running_frames) -> None:
        """``folder``: paths below it are relative. ``frames`` of functions that run now."""
        self._folder = folder
        self._frames = frames
        self._boundaries: Sequence[Boundary] = boundaries()
        self._left = MOST_SEARCHES
        self._cycles: list[dict[str, Any]] | None = None

    def holder_of(self, row: int) -> Holder:
        """Why the handle of a row lives."""
        if not self._left:
            return Holder(note=f"not searched for: only {MOST_SEARCHES} leaks at once are")
        self._left -= 1
        cycle, cut = self._cycle_of(row)
        path, note = self._path_of(row)
        return Holder(native_references(row), path, note, cycle, cut)

    def _path_of(self, row: int) -> tuple[tuple[str, ...], str]:
        report = self._report_of(row)
        if report is None:
            return (), "no Python object stands behind it"
        rooted = [path for path in report["paths"] if path["root"]]
        if not rooted:
            hidden = report["references"] - report["known_references"]
            cut = f"the search ended after {report['looked_at']:,} objects; " * report["is_cut"]
            return (), f"{cut}no root was found" + (
                f", and {hidden:,} references are of holders unknown to the collector"
                if hidden > 0
                else ""
            )
        return self._told(rooted[0]["steps"]), ""

    def _report_of(self, row: int) -> dict[str, Any] | None:
        """The search's report; ``None``: the row has no Python object."""
        found = (each.python_object(row) for each in self._boundaries)
        thing = next((each for each in found if each is not None), None)
        if thing is None:
            return None
        places = {place: name for each in self._boundaries for place, name in each.places().items()}
        steps = Search(thing, places, exit_places(exit_callback()), frames=self._frames).steps()
        del thing
        return _finished(steps)

    def _told(self, steps: Sequence[dict[str, Any]]) -> tuple[str, ...]:
        """Steps as lines; steps through the program that runs the tests are one line."""
        if any(word in step["text"] for step in steps for word in OF_HARNESS):
            return (BY_PYTEST,)
        lines = [self._line(step["text"], step["file"], step["line"]) for step in steps]
        cut = len(lines) - MOST_STEPS
        return tuple(lines if cut <= 0 else [*lines[:MOST_STEPS], f"… {cut:,} steps more"])

    def _line(self, text: str, file: str, line: int) -> str:
        if not file:
            return text
        return f"{text} at {frame_text(file, line, '', self._folder).removesuffix(' in ')}"

    def _cycle_of(self, row: int) -> tuple[tuple[str, ...], str]:
        """The shortest cycle through the row, and the edge to cut."""
        if self._cycles is None:
            self._cycles = list(_finished(CycleSearch(self._boundaries).steps(0))["cycles"])
        for cycle in self._cycles:
            nodes = cycle["nodes"]
            if any(node.get("handle", 0) >> 1 == row >> 1 for node in nodes):
                return tuple(f"{node['text']} — {node['edge']}" for node in nodes), cycle["cut"]
        return (), ""


def native_references(row: int) -> tuple[str, ...]:
    """The native references on a row's object that have a name, a line a holder."""
    buffer = ffi.new("AiBuffer *")
    if lib.ai_holders(row, buffer, ffi.NULL):
        return ()
    found = json.loads(take_buffer(buffer))
    lines = [_reference_line(each) for each in (*found["fields"], *found["labels"])]
    if found["unnamed"]:
        lines.append(f"{found['unnamed']:,} more with a name")
    if found["unread"]:
        lines.append(f"{found['unread']:,} objects could not be asked")
    return tuple(lines)


def _reference_line(holder: dict[str, Any]) -> str:
    """``1 reference by TodoList.items``, ``2 references by “recent items”``."""
    count, name = int(holder["count"]), str(holder["label"])
    if kind := holder.get("type", ""):
        name = f"{kind}.{name}" if holder.get("exact", True) else f"≈ {kind}, {name}"
    else:
        name = f"“{name}”"
    return f"{count:,} {'reference' if count == 1 else 'references'} by {name}"


def is_of_harness(file: str) -> bool:
    """Whether a file runs tests or programs."""
    return not HARNESSES.isdisjoint(PurePath(file).parts)


def _finished(steps: Any) -> dict[str, Any]:
    """Run a search to its end at once, and return its report."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            value: dict[str, Any] = end.value
            return value
