"""The table of events: its columns over ``EventRows``. GUI thread only."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QObject

from inspector.model.event_rows import EventRows, no_event_rows
from inspector.model.events import SATURATED
from inspector.model.snapshot import UNKNOWN
from inspector.model.wording import UNKNOWN_TEXT, clock, number, plural
from inspector.ui.kit.column_model import Column, ColumnModel, Cue, SortKeys, ranks_of
from inspector.ui.kit.theme import Theme
from inspector.vocabulary import EventKind, handle_text

CUES: Final = {
    EventKind.GAP: Cue("alarm", "gap"),
    EventKind.CREATE: Cue("born", "born"),
    EventKind.RELEASE: Cue("dying", "dying"),
    EventKind.DROP: Cue("dying", "tombstone"),
    EventKind.CLOSE_REQUEST: Cue("waiting", "waiting"),
    EventKind.CLOSE: Cue("text", "closed"),
    EventKind.MISUSE: Cue("suspect", "failed"),
}
"""Kinds that stand out."""


def event_model(theme: Theme, parent: QObject | None = None) -> ColumnModel[EventRows]:
    """An empty table. Its keys are ring and sequence number."""
    return ColumnModel(
        _columns(), no_event_rows(), lambda rows: rows.events.numbers, theme=theme, parent=parent
    )


def _columns() -> tuple[Column[EventRows], ...]:
    return (
        Column(
            "At",
            "When, by the target's clock",
            lambda rows, i: clock(float(rows.events.at[i])),
            lambda rows: rows.events.at,
        ),
        Column(
            "Event",
            "What happened",
            EventRows.word,
            lambda rows: rows.events.kinds.astype(np.int64),
            tooltip=_word_tooltip,
            cue=_cue,
        ),
        Column(
            "Handle",
            "Slot and generation; a native clone or release has none",
            _handle_text,
            lambda rows: (rows.events.handles & np.uint64(0xFFFF_FFFF)).astype(np.int64),
        ),
        Column("Type", "Type of the object", EventRows.type_name, _by_type),
        Column(
            "Count",
            "Strong count afterwards; of a gap the events lost",
            _count_text,
            _by_count,
            number=True,
            tooltip=_count_tooltip,
        ),
        Column("Thread", "Where it happened", EventRows.thread_name, _by_thread),
        Column("Site", "From where", EventRows.site_text, _by_site, tooltip=_site_tooltip),
    )


def _kind(rows: EventRows, row: int) -> int:
    return int(rows.events.kinds[row])


def _cue(rows: EventRows, row: int) -> Cue | None:
    kind = _kind(rows, row)
    return CUES.get(EventKind(kind)) if kind in list(EventKind) else None


def _handle_text(rows: EventRows, row: int) -> str:
    handle = int(rows.events.handles[row])
    return handle_text(handle) if handle else ""


def _has_count(rows: EventRows, row: int) -> bool:
    kind = _kind(rows, row)
    return kind in list(EventKind) and EventKind(kind).tells_count


def _count_text(rows: EventRows, row: int) -> str:
    count = int(rows.events.counts[row])
    if not _has_count(rows, row):
        return ""
    if count == UNKNOWN:
        return UNKNOWN_TEXT
    return (
        f"≥{count:,}" if count >= SATURATED and _kind(rows, row) != EventKind.GAP else number(count)
    )


def _word_tooltip(rows: EventRows, row: int) -> str:
    if _kind(rows, row) == EventKind.GAP:
        lost = plural(int(rows.events.counts[row]), "event")
        return (
            f"{lost} of {rows.thread_name(row) or 'a thread'} before this moment were "
            "overwritten before they were read"
        )
    return f"{rows.word(row)} at {clock(float(rows.events.at[row]))}"


def _count_tooltip(rows: EventRows, row: int) -> str:
    if _kind(rows, row) == EventKind.GAP:
        return "Events lost"
    if _has_count(rows, row) and int(rows.events.counts[row]) == UNKNOWN:
        return (
            "The strong count after this event is not known: the package does not say where "
            "it stands"
        )
    return (
        "Strong count right after the event"
        if _has_count(rows, row)
        else "This kind of event tells no count"
    )


def _site_tooltip(rows: EventRows, row: int) -> str:
    site = rows.snapshot.sites.get(int(rows.events.sites[row])) if rows.snapshot else None
    return "\n".join(site.lines()) if site else ("The line is recorded from level history on")


def _by_count(rows: EventRows) -> SortKeys:
    return rows.events.counts


def _by_type(rows: EventRows) -> SortKeys:
    return ranks_of(
        rows.types,
        {index: row.name for index, row in rows.snapshot.types.items()} if rows.snapshot else {},
    )


def _by_thread(rows: EventRows) -> SortKeys:
    threads = rows.snapshot.threads.items() if rows.snapshot else ()
    return ranks_of(rows.events.threads, {index: row.label for index, row in threads})


def _by_site(rows: EventRows) -> SortKeys:
    return ranks_of(
        rows.events.sites,
        {index: site.short() for index, site in rows.snapshot.sites.items()}
        if rows.snapshot
        else {},
    )
