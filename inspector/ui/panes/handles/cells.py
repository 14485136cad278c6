"""What each cell of the handle table says, and why a value is unknown.

Apart from the model because it is pure formatting with a page cache: a row is formatted when it is first painted, and once a snapshot.
GUI thread.
"""

from __future__ import annotations

import math
from enum import Enum
from typing import Final

from inspector.model import wording
from inspector.model.equation import parts_of
from inspector.model.grouping import Column, Group, unseen_births
from inspector.model.rates import RateWindow
from inspector.model.snapshot import UNKNOWN, Snapshot, handle_text
from inspector.model.states import ALIVE, Standing, standing, state_words
from inspector.ui.kit import trait_words
from inspector.vocabulary import Level

NUMBERS: Final = (Column.STRONG, Column.WEAK, Column.PROXIES, Column.IN_FLIGHT, Column.NATIVE, Column.AGE)
HEADERS: Final = {
    Column.HANDLE: "Handle",
    Column.STATE: "State",
    Column.STRONG: "Strong",
    Column.WEAK: "Weak",
    Column.PROXIES: "Proxies",
    Column.IN_FLIGHT: "In flight",
    Column.NATIVE: "Native refs",
    Column.AGE: "Age",
    Column.THREAD: "Thread",
    Column.SITE: "Site",
}
HEADER_HINTS: Final = {
    Column.HANDLE: "Slot and generation; never used again",
    Column.STATE: "Reference and resource together",
    Column.STRONG: "Strong count at rest, the inspector's own references left out. Of a trait: of the object and of its handles together",
    Column.WEAK: "Weak count",
    Column.PROXIES: "Wrappers of the host language that hold the object",
    Column.IN_FLIGHT: "Calls that use the object now",
    Column.NATIVE: "References that native code holds: strong minus proxies. Negative: a double free to come",
    Column.AGE: "Time since the handle was created; of a dead one, how long it lived. Unseen: before the agent looked; sorts as oldest",
    Column.THREAD: "Thread that created the handle; with an arrow, the one that alone may close it",
    Column.SITE: "Where the handle was created",
}


CALLS_ESTIMATED: Final = (
    "estimated: a call of this kind of object holds a clone of its reference, so calls are what the strong count was above its rest "
    "when it was sampled; short calls may be missed"
)


UNSEEN_TEXT: Final = "unseen"
"""Instead of an age: the birth was not seen, and the row sorts as the oldest."""


class Tone(Enum):
    """How a row looks."""

    NORMAL = "normal"
    BORN = "born"
    DYING = "dying"
    DEAD = "dead"


class HandleCells:
    """Texts of one snapshot."""

    def __init__(self, snapshot: Snapshot, moment_secs: float) -> None:
        """``moment_secs``: how long a row counts as new or dying."""
        self.snapshot = snapshot
        self.moment_secs = moment_secs
        self._rows: dict[int, tuple[str, ...]] = {}
        self._unseen = unseen_births(snapshot.handles)

    def text(self, row: int, column: int) -> str:
        """The cell as it is painted."""
        texts = self._rows.get(row)
        if texts is None:
            texts = self._rows[row] = self._format(row)
        return texts[column]

    def tone(self, row: int) -> tuple[Tone, float]:
        """How the row looks, and how much of its moment is left (1 to 0)."""
        handles, now = self.snapshot.handles, self.snapshot.taken_at
        if int(handles.references[row]) not in ALIVE:
            left = self._left(now - float(handles.changed_at[row]))
            return (Tone.DYING, left) if left > 0 else (Tone.DEAD, 0.0)
        left = self._left(now - float(handles.created_at[row]))
        return (Tone.BORN, left) if left > 0 else (Tone.NORMAL, 0.0)

    def standing(self, row: int) -> Standing:
        """The meaning of the row's states."""
        handles = self.snapshot.handles
        return standing(int(handles.references[row]), int(handles.resources[row]))

    def tooltip(self, row: int, column: int) -> str:
        """The exact value, or the reason why there is none; of a trait's strong count what it is made of."""
        parts = self._trait_lines(row) if column == Column.STRONG else []
        return "\n".join([self._meaning(row, column), *parts])

    def _meaning(self, row: int, column: int) -> str:
        if column in NUMBERS and self.text(row, column) == wording.UNKNOWN_TEXT:
            return self._unknown_reason(Column(column))
        if column == Column.AGE and self._unseen[row]:
            return self._unseen_reason()
        if column == Column.AGE:
            handles = self.snapshot.handles
            born = wording.clock(float(handles.created_at[row]))
            died = "" if int(handles.references[row]) in ALIVE else f", died at {wording.clock(float(handles.changed_at[row]))}"
            return f"created at {born}{died}"
        if column == Column.NATIVE and int(self.snapshot.handles.native_refs[row]) < 0:
            return "more proxies than strong references: a double free to come"
        if column == Column.IN_FLIGHT and self._has_estimated_calls(row):
            return CALLS_ESTIMATED
        if column == Column.SITE:
            return self._stack(row)
        if column == Column.THREAD and self.text(row, column) == wording.UNKNOWN_TEXT:
            return "thread not recorded: the handle is older than the agent, or level is off"
        if bool(self.snapshot.handles.changing[row]):
            return "the row was being written: its fields may be of two moments"
        return self._sampled(row, column) if column in (Column.STRONG, Column.WEAK, Column.NATIVE) else self.text(row, column)

    def _left(self, since_secs: float) -> float:
        if math.isnan(since_secs) or since_secs >= self.moment_secs:
            return 0.0
        return 1.0 - max(since_secs, 0.0) / self.moment_secs

    def _format(self, row: int) -> tuple[str, ...]:
        handles = self.snapshot.handles
        reference, resource = int(handles.references[row]), int(handles.resources[row])
        until = self.snapshot.taken_at if reference in ALIVE else float(handles.changed_at[row])
        strong = int(handles.strong[row])
        return (
            handle_text(int(handles.ids[row])),
            state_words(reference, resource),
            wording.number(strong),
            wording.number(int(handles.weak[row])),
            wording.number(int(handles.proxies[row])),
            self._calls(row),
            wording.UNKNOWN_TEXT if strong == UNKNOWN else wording.signed(int(handles.native_refs[row])),
            UNSEEN_TEXT if self._unseen[row] else wording.age(until - float(handles.created_at[row])),
            self._threads(row),
            self._site(row),
        )

    def _calls(self, row: int) -> str:
        count = int(self.snapshot.handles.in_flight[row])
        return wording.estimated(count) if self._has_estimated_calls(row) else wording.number(count)

    def _has_estimated_calls(self, row: int) -> bool:
        return self.snapshot.kind_of(row).calls_are_estimated

    def _sampled(self, row: int, column: int) -> str:
        """A count that the sampler reads, and how old it is."""
        sampled_at = self.snapshot.sampled_at
        text = self.text(row, column)
        if math.isnan(sampled_at) or int(self.snapshot.handles.references[row]) not in ALIVE:
            return text
        return f"{text}, sampled {wording.duration(max(self.snapshot.taken_at - sampled_at, 0.0))} ago"

    def _trait_lines(self, row: int) -> list[str]:
        handles = self.snapshot.handles
        parts = parts_of(handles, row, self.snapshot.types.get(int(handles.types[row])))
        return [] if parts is None else trait_words.lines(int(handles.strong[row]), parts, int(handles.weak[row]))

    def _threads(self, row: int) -> str:
        created = self._thread_name(int(self.snapshot.handles.created_threads[row]))
        owner = int(self.snapshot.handles.owner_threads[row])
        return f"{created} → {self._thread_name(owner)}" if owner else created

    def _thread_name(self, index: int) -> str:
        thread = self.snapshot.threads.get(index)
        return thread.label if thread else wording.UNKNOWN_TEXT

    def _site(self, row: int) -> str:
        site = self.snapshot.sites.get(int(self.snapshot.handles.created_sites[row]))
        return (site.short() if site else "") or wording.UNKNOWN_TEXT

    def _stack(self, row: int) -> str:
        site = self.snapshot.sites.get(int(self.snapshot.handles.created_sites[row]))
        if site is None:
            lowest = self.snapshot.target.level < Level.HISTORY
            return (
                "site not recorded at this level: switch to history" if lowest else "site not recorded: the handle is older than the agent"
            )
        lines = [f"{frame.file}:{frame.line} {frame.function}" for frame in site.frames]
        return "\n".join(lines + ["…"] * site.cut)

    def _unseen_reason(self) -> str:
        ago_secs = self.snapshot.taken_at - self.snapshot.target.started_at
        ago = "" if math.isnan(ago_secs) else f" {wording.age(ago_secs)} ago"
        known = f"it was there when the agent, which came{ago}, first looked for its type, or was born at level off"
        return f"Birth not seen: {known}. Sorts as the oldest"

    def _unknown_reason(self, column: Column) -> str:
        if column == Column.AGE:
            return "birth not seen, so it is not known how long it lived"
        if column == Column.IN_FLIGHT:
            return "calls in flight are not seen for this kind of object"
        if math.isnan(self.snapshot.sampled_at):
            return "not sampled yet: counts are read while a viewer is attached"
        return "not sampled: the count of this object cannot be read"


def group_facts(group: Group, snapshot: Snapshot, rates: RateWindow) -> tuple[str, ...]:
    """What stands behind a group's name: counts, rates, age of the oldest."""
    births, deaths = rates.per_type(group.type_index)
    facts = [f"{wording.plural(group.handles, 'handle')} → {wording.plural(group.objects, 'object')}"]
    if not (math.isnan(births) or math.isnan(deaths)):
        facts.append(f"+{wording.rate(births)}  −{wording.rate(deaths)}")
    if group.unseen:
        facts.append("born unseen" if group.unseen == group.handles else f"{group.unseen:,} born unseen")
    elif not math.isnan(group.oldest_at):
        facts.append(f"oldest {wording.age(snapshot.taken_at - group.oldest_at)}")
    dead = len(group) - group.handles
    if dead:
        facts.append(wording.plural(dead, "tombstone"))
    return tuple(facts)
