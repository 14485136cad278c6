"""Every amount that the viewer keeps of one session, with its cap: each is listed here once.

A session may last for days, so nothing may grow without end. The window shows this list with the
amounts in use. Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that is kept of something."""

    key: str
    what: str
    """The kept things, in the plural."""
    most: int
    unit: str
    """``readings``, ``bytes`` …"""
    beyond: str
    """The fate of things beyond the cap, a sentence without a full stop."""
    reason: str
    """Why so many, a sentence without a full stop."""
    left_word: str = "left out"
    """The word for things beyond the cap."""
    is_loss: bool = True
    """Whether data is lost then; joined readings keep their sums."""


TIMELINE: Final = Cap(
    "timeline",
    "Readings in the timeline",
    8192,
    "readings",
    "Older readings are joined, and keep their lowest and highest count",
    "2 minutes at 60 a second in full, and the whole time since the beginning ever more coarsely",
    left_word="joined",
    is_loss=False,
)
TIMELINE_TYPES: Final = Cap(
    "timeline_types",
    "Types in the timeline",
    256,
    "types",
    "Further types are counted as one",
    "256 types take 48 MiB when the timeline is full",
    left_word="counted as one",
    is_loss=False,
)
TIMELINE_MARKS: Final = Cap(
    "timeline_marks",
    "Vertical lines in the timeline",
    2000,
    "lines",
    "The oldest lines of collections leave first, then the oldest of all",
    "A line of a collection each second for half an hour",
)
MARKS: Final = Cap(
    "marks",
    "Marks",
    60,
    "marks",
    "A mark close to its neighbours leaves; the first and the newest stay",
    "A list that a person can read",
)
MARK_BYTES: Final = Cap(
    "mark_bytes",
    "Memory of the marks",
    512 << 20,
    "bytes",
    "Marks leave as above; the last two are never given up for a new one",
    "Ten marks of 1,000,000 handles",
)
EVENTS: Final = Cap(
    "events",
    "Events",
    200_000,
    "events",
    "The oldest leave",
    "16 MB; the panes list the newest 20,000 of them",
)
OBSERVATIONS: Final = Cap(
    "observations",
    "Observations of the rules on growth",
    240,
    "observations",
    "Every second one of the older half leaves",
    "Four minutes at one a second in full, and the whole time ever more coarsely",
    is_loss=False,
)
REPORTS: Final = Cap(
    "reports",
    "Findings of earlier moments",
    900,
    "looks",
    "The oldest leave",
    "A quarter of an hour at one look a second",
)
WAITING_VITALS: Final = Cap(
    "waiting_vitals",
    "Counters on their way to the window",
    600,
    "readings",
    "The oldest leave and are counted",
    "Ten seconds at 60 a second",
)
RECORDING_SNAPSHOTS: Final = Cap(
    "recording_snapshots",
    "Snapshots that wait for the disk while recording",
    4,
    "snapshots",
    "New ones are left out and counted",
    "Two seconds of a slow disk",
)
RECORDING_BYTES: Final = Cap(
    "recording_bytes",
    "Memory of the snapshots that wait for the disk",
    256 << 20,
    "bytes",
    "New ones are left out and counted, but one may always wait",
    "One snapshot of 1,500,000 handles",
)
RECORDING_VITALS: Final = Cap(
    "recording_vitals",
    "Counters that wait for the disk while recording",
    12_000,
    "readings",
    "Every second one of them leaves",
    "Ten minutes of a stalled disk at 20 a second",
)
RECORDING_FILE: Final = Cap(
    "recording_file",
    "Size of a recording",
    4 << 30,
    "bytes",
    "The recording stops, and says so",
    "A file that can be copied and sent",
)
PLACES: Final = Cap(
    "places",
    "Places to go back to",
    100,
    "places",
    "The oldest leave",
    "More than a person remembers",
    is_loss=False,
)
CAPS: Final = (
    TIMELINE,
    TIMELINE_TYPES,
    TIMELINE_MARKS,
    MARKS,
    MARK_BYTES,
    EVENTS,
    OBSERVATIONS,
    REPORTS,
    WAITING_VITALS,
    RECORDING_SNAPSHOTS,
    RECORDING_BYTES,
    RECORDING_VITALS,
    RECORDING_FILE,
    PLACES,
)
"""In the order of the window's list."""
BYTES_A_ROW: Final = 150
"""Memory of a row of a snapshot, for caps in bytes."""


@dataclass(frozen=True, slots=True)
class Use:
    """An amount in use now."""

    cap: Cap
    used: int
    left_out: int = 0
    """Things beyond the cap, so far."""

    def __post_init__(self) -> None:
        """No negative amounts."""
        if self.used < 0 or self.left_out < 0:
            raise ValueError(f"negative use of {self.cap.key}")
