"""The known facts about a process's classes that are not followed. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.pending import AwaitedCloses
from inspector.model.wording import UNKNOWN_TEXT

NO_PLACE: Final = "a place that is not in Python"
"""Instead of the place of an exception that no Python code raised."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Classes of Rust libraries that are not followed; with ``count`` 0 there is none."""

    count: int = 0
    libraries: tuple[str, ...] = ()
    """Their names, those with the most classes first."""
    example: str = ""
    """Dotted name of the class that has the most instances."""
    live: int = 0
    """About how many instances of ``example`` live; 0: not known."""

    @property
    def headline(self) -> str:
        """``9 classes of 1 Rust library are not followed (rpds)``; ``""`` when there is none."""
        if not self.count:
            return ""
        classes = "1 class" if self.count == 1 else f"{self.count:,} classes"
        number = len(self.libraries)
        libraries = "1 Rust library" if number == 1 else f"{number:,} Rust libraries"
        return (
            f"{classes} of {libraries} {'is' if self.count == 1 else 'are'} not followed "
            f"({', '.join(self.libraries)})"
        )

    @property
    def evidence(self) -> tuple[str, ...]:
        """Their live instances, and how to follow them; each a sentence without a full stop."""
        if not self.count:
            return ()
        lives = (f"About {self.live:,} objects of {self.example} live",) if self.live else ()
        wanted = f'such as [[proxy]] class = "{self.example}", ' if self.example else ""
        return (
            *lives,
            (
                f"To follow a class declare it, {wanted}in adapters.toml and attach again; "
                "arc-inspector adapters says where that file is"
            ),
        )


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
