"""The known facts about a process's classes that are not followed. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.pending import AwaitedCloses
from inspector.model.wording import UNKNOWN_TEXT, plural
from inspector.vocabulary import library_line

NO_PLACE: Final = "a place that is not in Python"
"""Instead of the place of an exception that no Python code raised."""


MOST_TOLD: Final = 10
"""Libraries, classes or refusals that one lead names; more are counted."""


@dataclass(frozen=True, slots=True)
class LibraryLead:
    """The classes of one extension that are not followed."""

    name: str
    binding: str
    """The maker of its classes: ``PyO3 0.29.3``, ``pybind11``, ``nanobind``, ``Cython``, ``C``."""
    count: int
    """Classes."""
    alive: int = 0
    """About how many objects of these classes live, as far as they are counted."""
    uncounted: int = 0
    """Classes whose objects cannot be counted; -1: their number is not known."""
    module: str = ""
    """The module that names the library in a declaration; ``""``: it cannot be named."""

    @property
    def line(self) -> str:
        """``rpds (PyO3 0.29.3): 8 classes, about 1,204 objects alive``."""
        return library_line(
            self.name,
            self.binding,
            classes=self.count,
            alive=self.alive,
            uncounted=self.uncounted,
        )


@dataclass(frozen=True, slots=True)
class Lead:
    """Classes of extensions that are not followed; without ``libraries`` there is none."""

    libraries: tuple[LibraryLead, ...] = ()
    """PyO3's first, then the library with the most living objects."""

    @property
    def count(self) -> int:
        """Classes of all libraries."""
        return sum(each.count for each in self.libraries)

    @property
    def first(self) -> LibraryLead | None:
        """The library to begin with; ``None``: there is none."""
        return self.libraries[0] if self.libraries else None

    @property
    def names(self) -> str:
        """``rpds and 2 more libraries``; ``""`` when there is none."""
        if not self.libraries:
            return ""
        more = len(self.libraries) - 1
        rest = f" and {plural(more, 'more library', 'more libraries')}" if more else ""
        return f"{self.libraries[0].name}{rest}"

    @property
    def text(self) -> str:
        """``rpds (PyO3 0.29.3): 8 classes, and 2 more libraries``; ``""`` when there is none."""
        if not self.libraries:
            return ""
        more = len(self.libraries) - 1
        rest = f", and {plural(more, 'more library', 'more libraries')}" if more else ""
        return f"{self.libraries[0].line}{rest}"

    @property
    def headline(self) -> str:
        """The same as a sentence by itself."""
        return f"Not followed: {self.text}" if self.libraries else ""

    @property
    def evidence(self) -> tuple[str, ...]:
        """The other libraries, and how to follow them; each a sentence without a full stop."""
        if not self.libraries:
            return ()
        others = [each.line for each in self.libraries[1:MOST_TOLD]]
        left = len(self.libraries) - MOST_TOLD
        if left > 0:
            others.append(f"and {plural(left, 'more library', 'more libraries')}")
        module = next((each.module for each in self.libraries if each.module), "")
        how = f'To follow it: [[proxy]] class = "{module}.*" in adapters.toml'
        now = f"or now: arc-inspector adapters PID --follow {module}"
        return (*others, *((f"{how}, {now}",) if module else ()))


@dataclass(frozen=True, slots=True)
class Hidden:
    """Classes of extensions of which no row is shown, and why."""

    constants: tuple[tuple[str, int], ...] = ()
    """Classes whose only objects are constants of the library, each with their number."""
    refused: tuple[str, ...] = ()
    """Classes that cannot be followed, each with its reason; a sentence without a full stop."""

    @property
    def headline(self) -> str:
        """``12 constant classes are hidden``; ``""`` when there is none."""
        count = len(self.constants)
        is_one = count == 1
        text = "1 constant class is" if is_one else f"{count:,} constant classes are"
        return f"{text} hidden" if count else ""

    @property
    def evidence(self) -> tuple[str, ...]:
        """Their names, and the refused classes."""
        named = [f"{name} ({number:,})" for name, number in self.constants[:MOST_TOLD]]
        left = len(self.constants) - MOST_TOLD
        more = f" and {left:,} more" if left > 0 else ""
        lines = (f"{self.headline}: {', '.join(named)}{more}",) if named else ()
        return (*lines, *(f"Refused: {each}" for each in self.refused[:MOST_TOLD]))


NOTHING_HIDDEN: Final = Hidden()


@dataclass(frozen=True, slots=True)
class FailedCallback:
    """A method of a Python object that raised an undeclared exception, by place.

    Native code called it.
    """

    method: str
    """``MyListener.on_event``."""
    error: str
    """The exception's class."""
    place: str
    """Where it was raised: ``app.py:12 on_event``; ``""``: nowhere in Python."""
    count: int
    handles: tuple[tuple[int, int], ...] = ()
    """Rows of the objects, and how often it was each of them."""
    newest_of: frozenset[int] = frozenset()
    """Rows of which this is the newest failure."""
    has_more_objects: bool = False
    """It was also objects that are not among ``handles``, though they have rows."""

    @property
    def headline(self) -> str:
        """``MyListener.on_event failed 3 times: ValueError at app.py:12 on_event``."""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        return f"{self.method} failed {times}: {self.error} at {self.place or NO_PLACE}"


@dataclass(frozen=True, slots=True)
class ClosedUse:
    """Uses of objects after their close, by one method at one place."""

    type_name: str
    method: str
    """``Socket.send``, or ``Client as an argument``."""
    count: int
    used_site: int
    """Among the snapshot's sites; 0: not known."""
    closed_site: int
    handles: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """The session's facts from the target's agent, beside the rows.

    They are unfollowed objects, and failed calls into Python.
    """

    lead: Lead | None = None
    """``None``: not known."""
    unseen: tuple[str, ...] = ()
    """Followed classes of which instances live that have no row."""
    failed: tuple[FailedCallback, ...] | None = None
    """``None``: not known."""
    awaited: AwaitedCloses | None = None
    """Closes that wait for an event loop of the program; ``None``: not known."""
    closed_uses: tuple[ClosedUse, ...] = ()
    """Uses of declared and UniFFI objects after their close, seen from level *history* on."""
    hidden: Hidden = NOTHING_HIDDEN

    def failures_of(self, handle: int) -> int | None:
        """How often a call of native code into the object of a row failed; ``None``: not known."""
        if self.failed is None or any(
            each.has_more_objects and handle not in dict(each.handles) for each in self.failed
        ):
            return None
        return sum(dict(each.handles).get(handle, 0) for each in self.failed)

    def newest_failure_of(self, handle: int) -> FailedCallback | None:
        """The newest failure of a call into the object of a row.

        ``None``: there is none, or it is not known.
        """
        return next((each for each in self.failed or () if handle in each.newest_of), None)

    def failures_text(self, handle: int) -> str:
        """``3, last in Listener.on_event at app.py:12 on_event (ValueError)``.

        ``–``: how many is not known.
        """
        failures, newest = self.failures_of(handle), self.newest_failure_of(handle)
        if failures is None:
            return UNKNOWN_TEXT
        last = (
            ""
            if newest is None
            else (f", last in {newest.method} at {newest.place or NO_PLACE} ({newest.error})")
        )
        return f"{failures:,}{last}"
