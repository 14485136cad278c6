"""Handles counted by two codes: by type and line, by thread and type, and so on.

Pure numpy; any thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from inspector.model import wording
from inspector.model.change_facts import ChangeFacts
from inspector.model.filter import Mask, quoted
from inspector.model.marks import MarkedState
from inspector.model.snapshot import Floats, Ints, Snapshot, TypeRow
from inspector.model.states import alive, pending
from inspector.model.stored_table import (
    Coded,
    Counting,
    MarkColumns,
    StoredTable,
    table_look,
    table_of,
)
from inspector.model.threads import filter_text
from inspector.vocabulary import handle_text, kind_named

Codes: TypeAlias = tuple[Ints, Ints]
RATE_SECS: Final = 2.0
"""The window of births and deaths by line."""
NOT_ASKED: Final = "not looked at"
UNSEEN: Final = "made before attach"
UNRECORDED: Final = "line not recorded"
_BITS: Final = np.int64(32)
_MASK: Final = np.int64(0xFFFF_FFFF)


class GroupBy(StrEnum):
    """The meaning of the rows of the table. The values are the texts of the buttons."""

    TYPE = "Type"
    SITE = "Made at"
    HOLDER = "Held by"
    THREAD = "Thread"
    MARK = "Mark"
    NONE = "None"


_STORED: Final = MappingProxyType(
    {
        GroupBy.TYPE: ("types", "created_sites"),
        GroupBy.SITE: ("created_sites", "types"),
        GroupBy.THREAD: ("created_threads", "types"),
    }
)
"""Columns of the outer and inner code, for groups that a stored table counts."""


@dataclass(frozen=True, slots=True)
class Named:
    """The texts of one row."""

    key: str
    title: str
    type_name: str = ""
    site: str = ""
    filter: str = ""
    type_index: int = 0
    """The type; 0: several."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Counts, one element for each pair of outer and inner code, ordered by them."""

    outer: Ints
    inner: Ints
    live: Ints
    """Live handles that the filter keeps."""
    whole: Ints
    """All live handles."""
    before: Ints
    """Handles that lived at the mark."""
    has_before: bool
    pending: Ints
    oldest_at: Floats
    unseen: Ints
    births: Ints
    """Handles born within the last ``RATE_SECS``."""
    deaths: Ints
    sees_all_deaths: bool
    """The handles that died within ``RATE_SECS`` are all in the table."""
    group_by: GroupBy
    facts: ChangeFacts

    def outer_spans(self) -> list[tuple[int, int]]:
        """First and last element of each outer code."""
        starts = np.flatnonzero(np.diff(self.outer, prepend=-1)).tolist()
        return list(zip(starts, [*starts, len(self.outer)][1:], strict=True))

    def names(self, is_outer: bool, at: int) -> Named:
        """Texts of the row of an element: of its outer code, or of the pair."""
        name_outer, name_inner = _NAMES[self.group_by]
        outer = name_outer(self.facts, int(self.outer[at]))
        if is_outer:
            return outer
        inner = name_inner(self.facts, int(self.inner[at]))
        title = inner.title
        if not inner.site and self.group_by is GroupBy.TYPE:
            title = UNSEEN if self.unseen[at] or not self.live[at] else UNRECORDED
        return Named(
            f"{outer.key}/{inner.key}",
            title,
            inner.type_name or outer.type_name,
            inner.site or outer.site,
            " ".join(each for each in (outer.filter, inner.filter) if each),
            inner.type_index or outer.type_index,
        )


def tally(
    snapshot: Snapshot,
    group_by: GroupBy,
    *,
    kept: Mask | None,
    mark: MarkedState | None,
    facts: ChangeFacts,
) -> Tally:
    """Count the handles; ``kept`` are the rows that the filter keeps, ``None``: all.

    A stored table counts by type, line and thread without the interpreter's lock.
    """
    handles = snapshot.handles
    table = table_of(handles)
    if table is not None and group_by in _STORED:
        return _stored(table, snapshot, group_by, kept=kept, mark=mark, facts=facts)
    keys = _joined(codes_of(snapshot, group_by, facts))
    live = alive(handles)
    marked = None if mark is None else _mark_codes(mark, group_by, snapshot, facts)
    old = np.empty(0, np.int64) if marked is None else _joined(marked)
    shown = np.ones(len(keys), np.bool_) if kept is None else kept
    lines = np.union1d(keys, old)
    at = np.searchsorted(lines, keys)
    recent = snapshot.taken_at - RATE_SECS
    with np.errstate(invalid="ignore"):
        born, died = handles.created_at > recent, ~live & (handles.changed_at > recent)

    def count(rows: Mask) -> Ints:
        return np.bincount(at[rows], minlength=len(lines)).astype(np.int64)

    counted = live & shown
    return Tally(
        lines >> _BITS,
        lines & _MASK,
        count(counted),
        count(live),
        np.bincount(np.searchsorted(lines, old), minlength=len(lines)).astype(np.int64),
        marked is not None,
        count(pending(handles) & shown),
        _oldest(at, handles.created_at, counted, len(lines)),
        count(counted & np.isnan(handles.created_at)),
        count(born),
        count(died),
        _sees_all_deaths(snapshot, live, recent),
        group_by,
        facts,
    )


def _stored(
    table: StoredTable,
    snapshot: Snapshot,
    group_by: GroupBy,
    *,
    kept: Mask | None,
    mark: MarkedState | None,
    facts: ChangeFacts,
) -> Tally:
    """The same, by a stored table."""
    recent = snapshot.taken_at - RATE_SECS
    lines = site_codes(snapshot)
    outer, inner = (
        Coded(name, lines if name == "created_sites" else None) for name in _STORED[group_by]
    )
    marked = None
    if mark is not None and (group_by is not GroupBy.THREAD or len(mark.threads) == len(mark)):
        columns = {
            "types": mark.types,
            "created_sites": mark.sites,
            "created_threads": mark.threads,
        }
        marked = MarkColumns(mark.ids, columns[outer.column], columns[inner.column])
    found = table.lines(Counting(outer, inner, kept, marked, recent))
    dead = len(table) - table.live
    oldest_death = snapshot.fact(table_look).oldest_death if dead else math.inf
    return Tally(
        found["outer"],
        found["inner"],
        found["live"],
        found["whole"],
        found["before"],
        marked is not None,
        found["pending"],
        found["oldest_at"],
        found["unseen"],
        found["births"],
        found["deaths"],
        oldest_death <= recent or dead >= int(snapshot.vitals.released.sum()),
        group_by,
        facts,
    )


def codes_of(snapshot: Snapshot, group_by: GroupBy, facts: ChangeFacts) -> Codes:
    """Outer and inner code of each handle."""
    handles = snapshot.handles
    if group_by is GroupBy.TYPE:
        return handles.types, named_sites(snapshot, handles.created_sites)
    if group_by is GroupBy.SITE:
        return named_sites(snapshot, handles.created_sites), handles.types
    if group_by is GroupBy.THREAD:
        return handles.created_threads, handles.types
    if group_by is GroupBy.MARK:
        return _generations(handles.created_at, facts.marks), handles.types
    return _holder_codes(snapshot, facts.holders), handles.types


def _mark_codes(
    mark: MarkedState, group_by: GroupBy, snapshot: Snapshot, facts: ChangeFacts
) -> Codes | None:
    """The codes at the mark; ``None``: not known."""
    if group_by is GroupBy.TYPE:
        return mark.types, named_sites(snapshot, mark.sites)
    if group_by is GroupBy.SITE:
        return named_sites(snapshot, mark.sites), mark.types
    if group_by is GroupBy.THREAD:
        return (mark.threads, mark.types) if len(mark.threads) == len(mark) else None
    if group_by is GroupBy.MARK:
        return _generations(mark.created_at, facts.marks), mark.types
    return None


def named_sites(snapshot: Snapshot, sites: Ints) -> Ints:
    """One index for all stacks that the same line names: the lowest.

    0 for a stack that the snapshot does not name.
    """
    codes = site_codes(snapshot)
    inside = (sites >= 0) & (sites < len(codes))
    return np.where(inside, codes[np.where(inside, sites, 0)], 0)


def site_codes(snapshot: Snapshot) -> Ints:
    """For each index of a stack the lowest index whose stack the same line names."""
    first: dict[str, int] = {}
    codes = np.zeros(max(snapshot.sites, default=0) + 1, np.int64)
    for index in sorted(snapshot.sites):
        text = snapshot.sites[index].short()
        codes[index] = first.setdefault(text, index) if text else 0
    return codes


def _generations(births: Floats, marks: Sequence[MarkedState]) -> Ints:
    """0: born before the first mark, or not seen; 1: after the first mark, and so on."""
    borders = np.array([mark.at for mark in marks])
    found = np.searchsorted(borders, np.where(np.isnan(births), -np.inf, births), side="left")
    return found.astype(np.int64)


def _holder_codes(snapshot: Snapshot, holders: Mapping[int, str]) -> Ints:
    """0: not asked; else the place of the text among all texts."""
    texts = holder_texts(holders)
    codes = np.zeros(len(snapshot.handles), np.int64)
    if texts:
        ids = np.array(sorted(holders), np.uint64)
        places = np.array([texts.index(holders[int(each)]) + 1 for each in ids.tolist()], np.int64)
        found = np.minimum(np.searchsorted(ids, snapshot.handles.ids), len(ids) - 1)
        codes = np.where(ids[found] == snapshot.handles.ids, places[found], 0)
    return codes


def holder_texts(holders: Mapping[int, str]) -> list[str]:
    """The different holders, in the order of their codes."""
    return sorted(set(holders.values()))


def _joined(codes: Codes) -> Ints:
    return codes[0] << _BITS | codes[1]


def _sees_all_deaths(snapshot: Snapshot, live: Mask, recent: float) -> bool:
    """Whether a dead handle from before ``recent`` is still there, or none was ever dropped."""
    times = snapshot.handles.changed_at[~live]
    times = times[~np.isnan(times)]
    if len(times) and float(times.min()) <= recent:
        return True
    return int(np.count_nonzero(~live)) >= int(snapshot.vitals.released.sum())


def _oldest(at: Ints, births: Floats, rows: npt.NDArray[np.bool_], size: int) -> Floats:
    oldest = np.full(size, np.inf)
    known = rows & ~np.isnan(births)
    np.minimum.at(oldest, at[known], births[known])
    oldest[np.isinf(oldest)] = math.nan
    return oldest


def type_title(snapshot: Snapshot, index: int) -> str:
    """The name of a type; where two types have one name, with the difference between them."""
    row = snapshot.types.get(index)
    if row is None or not row.name:
        return f"type {index}"
    twins = [each for each in snapshot.types.values() if each.name == row.name]
    if len(twins) < 2:
        return row.name
    siblings = [each for each in twins if each.origin == row.origin]
    return f"{row.name} ({(row.origin if len(siblings) < 2 else _side(row)) or handle_text(index)})"


def _side(row: TypeRow) -> str:
    """The side of the boundary that a type's objects are of."""
    kind = kind_named(row.kind)
    return "call" if kind.is_call else "held by Rust" if kind.is_foreign else "Rust"


def type_named(facts: ChangeFacts, code: int) -> Named:
    """The texts of the row of a type."""
    row = facts.snapshot.types.get(code)
    name = row.name if row and row.name else f"type {code}"
    title = type_title(facts.snapshot, code)
    return Named(f"t{code}", title, name, "", f"type:{quoted(name)}", code)


def _site(facts: ChangeFacts, code: int) -> Named:
    site = facts.snapshot.sites.get(code)
    text = site.short() if site else ""
    return Named(f"s{code}", text or UNRECORDED, "", text, f"site:{quoted(text)}" if text else "")


def _thread(facts: ChangeFacts, code: int) -> Named:
    thread = facts.snapshot.threads.get(code)
    if thread is None:
        return Named(f"th{code}", f"thread {code}" if code else "an unknown thread")
    return Named(f"th{code}", thread.label, filter=filter_text(thread))


def _generation(facts: ChangeFacts, code: int) -> Named:
    if not code or code > len(facts.marks):
        first = facts.marks[0].name if facts.marks else "the first mark"
        return Named("m0", f"before {first}")
    mark = facts.marks[code - 1]
    return Named(f"m{code}", f"since {mark.name}, {wording.clock(mark.at)[:8]}")


def _holder(facts: ChangeFacts, code: int) -> Named:
    texts = holder_texts(facts.holders)
    if not 0 < code <= len(texts):
        return Named("h", NOT_ASKED)
    return Named(f"h{texts[code - 1]}", texts[code - 1])


_Name: TypeAlias = Callable[[ChangeFacts, int], Named]
_NAMES: Final[Mapping[GroupBy, tuple[_Name, _Name]]] = MappingProxyType(
    {
        GroupBy.TYPE: (type_named, _site),
        GroupBy.SITE: (_site, type_named),
        GroupBy.HOLDER: (_holder, type_named),
        GroupBy.THREAD: (_thread, type_named),
        GroupBy.MARK: (_generation, type_named),
        GroupBy.NONE: (type_named, _site),
    }
)
