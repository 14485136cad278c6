"""The text of each cell of the handle table, and the reason of an unknown value.

Apart from the model because it is pure formatting with a page cache: a row is formatted when it is
first painted, and once a snapshot. GUI thread.
"""

from __future__ import annotations

import math
from enum import Enum

from inspector.model import wording
from inspector.model.columns import TABLE_COLUMNS, HandleColumn
from inspector.model.equation import parts_of
from inspector.model.grouping import Group
from inspector.model.rates import RateWindow
from inspector.model.snapshot import Snapshot
from inspector.model.states import ALIVE, Standing, standing
from inspector.model.stored_table import row_alone
from inspector.ui.kit import trait_words


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
        self._alone: dict[int, tuple[Snapshot, int]] = {}

    def text(self, row: int, column: int) -> str:
        """The cell as it is painted."""
        texts = self._rows.get(row)
        if texts is None:
            texts = self._rows[row] = self._format(row)
        return texts[column]

    def tone(self, row: int) -> tuple[Tone, float]:
        """How the row looks, and how much of its moment is left (1 to 0)."""
        snapshot, row = self._row(row)
        handles, now = snapshot.handles, snapshot.taken_at
        if int(handles.references[row]) not in ALIVE:
            left = self._left(now - float(handles.changed_at[row]))
            return (Tone.DYING, left) if left > 0 else (Tone.DEAD, 0.0)
        left = self._left(now - float(handles.created_at[row]))
        return (Tone.BORN, left) if left > 0 else (Tone.NORMAL, 0.0)

    def standing(self, row: int) -> Standing:
        """The meaning of the row's states."""
        snapshot, row = self._row(row)
        handles = snapshot.handles
        return standing(int(handles.references[row]), int(handles.resources[row]))

    def tooltip(self, row: int, column: int) -> str:
        """The exact value, or the reason why there is none.

        A trait's strong count shows its parts.
        """
        shown = TABLE_COLUMNS[column]
        parts = self._trait_lines(row) if shown.key == "strong" else []
        return "\n".join([self._meaning(row, shown, self.text(row, column)), *parts])

    def _row(self, row: int) -> tuple[Snapshot, int]:
        """A snapshot that has the row at hand, and the row in it."""
        found = self._alone.get(row)
        if found is None:
            found = self._alone[row] = row_alone(self.snapshot, row)
        return found

    def _meaning(self, row: int, column: HandleColumn, text: str) -> str:
        if column.unknown is not None and text == wording.UNKNOWN_TEXT:
            return column.unknown(self.snapshot)
        snapshot, at = self._row(row)
        note = column.note(snapshot, at) if column.note is not None else None
        if note is not None:
            return note
        if bool(self.snapshot.handles.changing[row]):
            return "the row was being written: its fields may be of two moments"
        return self._sampled(row, text) if column.is_sampled else text

    def _left(self, since_secs: float) -> float:
        if math.isnan(since_secs) or since_secs >= self.moment_secs:
            return 0.0
        return 1.0 - max(since_secs, 0.0) / self.moment_secs

    def _format(self, row: int) -> tuple[str, ...]:
        snapshot, row = self._row(row)
        return tuple(
            column.text(snapshot, row) if column.text is not None else ""
            for column in TABLE_COLUMNS
        )

    def _sampled(self, row: int, text: str) -> str:
        """A count that the sampler reads, and how old it is."""
        sampled_at = self.snapshot.sampled_at
        if math.isnan(sampled_at) or int(self.snapshot.handles.references[row]) not in ALIVE:
            return text
        return (
            f"{text}, sampled {wording.duration(max(self.snapshot.taken_at - sampled_at, 0.0))} ago"
        )

    def _trait_lines(self, row: int) -> list[str]:
        snapshot, row = self._row(row)
        handles = snapshot.handles
        parts = parts_of(handles, row, self.snapshot.types.get(int(handles.types[row])))
        return (
            []
            if parts is None
            else trait_words.lines(int(handles.strong[row]), parts, int(handles.weak[row]))
        )


def group_facts(group: Group, snapshot: Snapshot, rates: RateWindow) -> tuple[str, ...]:
    """The figures after a group's name: counts, rates, age of the oldest."""
    births, deaths = rates.per_type(group.type_index)
    facts = [
        (f"{wording.plural(group.handles, 'handle')} → {wording.plural(group.objects, 'object')}")
    ]
    if not (math.isnan(births) or math.isnan(deaths)):
        facts.append(f"+{wording.rate(births)}  −{wording.rate(deaths)}")
    if group.unseen:
        facts.append(
            "made before attach"
            if group.unseen == group.handles
            else f"{group.unseen:,} made before attach"
        )
    elif not math.isnan(group.oldest_at):
        facts.append(f"oldest {wording.age(snapshot.taken_at - group.oldest_at)}")
    dead = len(group) - group.handles
    if dead:
        facts.append(wording.plural(dead, "tombstone"))
    return tuple(facts)
