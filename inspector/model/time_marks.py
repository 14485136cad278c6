"""Moments worth a line on the time axis, in bounded memory. One thread (the window's)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from inspector.model import caps
from inspector.model.caps import Use
from inspector.model.snapshot import Collection


class MarkKind(StrEnum):
    """The meaning of a vertical line on the time axis."""

    COLLECTION = "collection"
    FORCED = "forced collection"
    ATTACH = "attach"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth a line."""

    at: float
    kind: MarkKind
    text: str
    """The incident, a sentence without a full stop."""


class TimeMarks:
    """Marks in the order of their time.

    Beyond the cap, the oldest collection that nobody forced makes room; else the oldest mark.
    """

    def __init__(self) -> None:
        """Empty."""
        self._marks: list[Mark] = []
        self.clear()

    def clear(self) -> None:
        """Forget everything: another target."""
        self._marks.clear()
        self._left_out = 0
        self._last_collection = -1
        self._first_collection = 0
        """No mark before this place is a collection that nobody forced."""

    def __len__(self) -> int:
        """Marks kept."""
        return len(self._marks)

    def __iter__(self) -> Iterator[Mark]:
        """Oldest first."""
        return iter(self._marks)

    @property
    def use(self) -> Use:
        """The amount that is kept."""
        return Use(caps.TIMELINE_MARKS, len(self._marks), self._left_out)

    def add(self, mark: Mark) -> None:
        """Put a line on the time axis."""
        self._marks.append(mark)
        if len(self._marks) > 1 and mark.at < self._marks[-2].at:
            self._marks.sort(key=lambda each: each.at)
            self._first_collection = 0
        if len(self._marks) > caps.TIMELINE_MARKS.most:
            self._left_out += 1
            self._first_collection = self._oldest_collection()
            del self._marks[self._first_collection]

    def add_collections(self, collections: tuple[Collection, ...]) -> None:
        """Add those that are newer than all added before."""
        for each in collections:
            if each.serial > self._last_collection:
                self._last_collection = each.serial
                kind = MarkKind.FORCED if each.forced else MarkKind.COLLECTION
                self.add(Mark(each.at, kind, _collection_text(each)))

    def between(self, begin: float, end: float) -> list[Mark]:
        """Marks of every kind between the two moments, oldest first."""
        return [mark for mark in self._marks if begin <= mark.at <= end]

    def _oldest_collection(self) -> int:
        """The first line that the program's own collector made; else the first of all."""
        for place, mark in enumerate(islice(self._marks, self._first_collection, None)):
            if mark.kind is MarkKind.COLLECTION:
                return self._first_collection + place
        return 0


def _collection_text(each: Collection) -> str:
    freed = f"{each.collected:,} object{'' if each.collected == 1 else 's'}"
    kind = "Forced collection" if each.forced else f"Collection of generation {each.generation}"
    return f"{kind} freed {freed} in {each.took_secs * 1e3:.1f} ms"
