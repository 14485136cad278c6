"""Texts of the columns: cells, tooltips, values of ``--json``.

Pure; any thread; made for the rows that are painted or printed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from inspector.model import wording
from inspector.model.native_calls import waits_at_site
from inspector.model.snapshot import UNKNOWN, Snapshot, TypeRow
from inspector.model.states import ALIVE, state_words
from inspector.vocabulary import Level, handle_text

CALLS_ESTIMATED: Final = (
    "estimated: a call of this kind of object holds a clone of its reference, so calls are the "
    "strong count minus its rest "
    "when it was sampled; short calls may be missed"
)
UNSEEN_TEXT: Final = "unseen"
"""Instead of an age: the birth was not seen, and the row sorts as the oldest."""


def id_text(snapshot: Snapshot, row: int) -> str:
    """``#88.1``."""
    return handle_text(int(snapshot.handles.ids[row]))


def state_text(snapshot: Snapshot, row: int) -> str:
    """Reference and resource in words."""
    return state_words(int(snapshot.handles.references[row]), int(snapshot.handles.resources[row]))


def count_text(name: str) -> Callable[[Snapshot, int], str]:
    """Writes a column of counts; ``–`` for unknown."""
    return lambda snapshot, row: wording.number(int(getattr(snapshot.handles, name)[row]))


def calls_text(snapshot: Snapshot, row: int) -> str:
    """Calls in flight, marked where they are estimated."""
    count = int(snapshot.handles.in_flight[row])
    return (
        wording.estimated(count)
        if snapshot.kind_of(row).calls_are_estimated
        else wording.number(count)
    )


def native_text(snapshot: Snapshot, row: int) -> str:
    """Native references, which may be negative."""
    handles = snapshot.handles
    return (
        wording.UNKNOWN_TEXT
        if handles.strong[row] == UNKNOWN
        else wording.signed(int(handles.native_refs[row]))
    )


def age_text(snapshot: Snapshot, row: int) -> str:
    """The age of a live row, the life span of a dead row."""
    handles = snapshot.handles
    if is_birth_unseen(snapshot, row):
        return UNSEEN_TEXT
    until = (
        snapshot.taken_at
        if int(handles.references[row]) in ALIVE
        else float(handles.changed_at[row])
    )
    return wording.age(until - float(handles.created_at[row]))


def age_printed(snapshot: Snapshot, row: int) -> str:
    """Time since the birth."""
    return wording.age(snapshot.taken_at - float(snapshot.handles.created_at[row]))


def threads_text(snapshot: Snapshot, row: int) -> str:
    """The creator; with an arrow the owner."""
    created = _label(snapshot, int(snapshot.handles.created_threads[row]))
    owner = int(snapshot.handles.owner_threads[row])
    return f"{created} → {_label(snapshot, owner)}" if owner else created


def thread_printed(snapshot: Snapshot, row: int) -> str:
    """The owner, or else the creator."""
    owner, creator = (
        thread_value("owner_threads")(snapshot, row),
        thread_value("created_threads")(snapshot, row),
    )
    return owner or creator or wording.UNKNOWN_TEXT


def site_text(snapshot: Snapshot, row: int) -> str:
    """The innermost line of the stack."""
    return site_value(snapshot, row) or wording.UNKNOWN_TEXT


def is_birth_unseen(snapshot: Snapshot, row: int) -> bool:
    """A live row whose birth was not seen."""
    handles = snapshot.handles
    return math.isnan(handles.created_at[row]) and int(handles.references[row]) in ALIVE


# tooltips -----------------------------------------------------------------------------------------


def age_note(snapshot: Snapshot, row: int) -> str:
    """When the row was created and when it died."""
    handles = snapshot.handles
    if is_birth_unseen(snapshot, row):
        ago_secs = snapshot.taken_at - snapshot.target.started_at
        ago = "" if math.isnan(ago_secs) else f" {wording.age(ago_secs)} ago"
        known = (
            f"it was there when the agent, which came{ago}, first looked for its type, or "
            "was born at level off"
        )
        return f"Birth not seen: {known}. Sorts as the oldest"
    born = wording.clock(float(handles.created_at[row]))
    died = (
        ""
        if int(handles.references[row]) in ALIVE
        else f", died at {wording.clock(float(handles.changed_at[row]))}"
    )
    return f"created at {born}{died}"


def native_note(snapshot: Snapshot, row: int) -> str | None:
    """A warning about a negative count."""
    return (
        "more proxies than strong references: a double free to come"
        if int(snapshot.handles.native_refs[row]) < 0
        else None
    )


def calls_note(snapshot: Snapshot, row: int) -> str | None:
    """How estimated calls are counted."""
    return CALLS_ESTIMATED if snapshot.kind_of(row).calls_are_estimated else None


WAITED: Final = "the line on which the call waited when it was first seen:"


def site_note(snapshot: Snapshot, row: int) -> str:
    """The whole stack, or the reason why there is none."""
    site = snapshot.sites.get(int(snapshot.handles.created_sites[row]))
    if site is None:
        is_low = snapshot.target.level < Level.HISTORY
        return (
            "site not recorded at this level: switch to history"
            if is_low
            else "site not recorded: the handle is older than the agent"
        )
    waited = f"{WAITED}\n" if waits_at_site(snapshot, row) else ""
    return waited + site.text()


def count_unknown(snapshot: Snapshot) -> str:
    """Why a count is not known."""
    if math.isnan(snapshot.sampled_at):
        return "not sampled yet: counts are read while a viewer is attached"
    return "not sampled: the count of this object cannot be read"


# values of JSON -----------------------------------------------------------------------------------


def of_type(value: Callable[[TypeRow], str | None]) -> Callable[[Snapshot, int], str | None]:
    """A text of the row's type."""

    def json(snapshot: Snapshot, row: int) -> str | None:
        found = snapshot.types.get(int(snapshot.handles.types[row]))
        return value(found) if found else None

    return json


def count_value(name: str) -> Callable[[Snapshot, int], int | None]:
    """A count of ``Handles``."""

    def json(snapshot: Snapshot, row: int) -> int | None:
        count = int(getattr(snapshot.handles, name)[row])
        return None if count == UNKNOWN else count

    return json


def native_value(snapshot: Snapshot, row: int) -> int | None:
    """References that native code holds.

    -1 is a count here, unknown without a strong count or a number of proxies.
    """
    handles = snapshot.handles
    return (
        None
        if handles.strong[row] == UNKNOWN or handles.proxies[row] == UNKNOWN
        else int(handles.native_refs[row])
    )


def thread_value(name: str) -> Callable[[Snapshot, int], str | None]:
    """Label of a thread of ``Handles``; ``None`` without a thread, or for an unknown thread."""

    def json(snapshot: Snapshot, row: int) -> str | None:
        thread = snapshot.threads.get(int(getattr(snapshot.handles, name)[row]))
        return None if thread is None else thread.label

    return json


def birth_value(snapshot: Snapshot, row: int) -> float | None:
    """Seconds since the Unix epoch."""
    born = float(snapshot.handles.created_at[row])
    return None if math.isnan(born) else born


def hex_value(name: str) -> Callable[[Snapshot, int], str | None]:
    """A number of ``Handles`` in base 16; ``None`` for 0."""

    def json(snapshot: Snapshot, row: int) -> str | None:
        number = int(getattr(snapshot.handles, name)[row])
        return f"{number:#x}" if number else None

    return json


def site_value(snapshot: Snapshot, row: int) -> str | None:
    """The innermost line of the stack."""
    site = snapshot.sites.get(int(snapshot.handles.created_sites[row]))
    return None if site is None else site.short() or None


def stack_number(snapshot: Snapshot, row: int) -> int | None:
    """Number of the stack that created the handle, among the snapshot's stacks."""
    number = int(snapshot.handles.created_sites[row])
    return number if number in snapshot.sites else None


def _label(snapshot: Snapshot, index: int) -> str:
    thread = snapshot.threads.get(index)
    return thread.label if thread else wording.UNKNOWN_TEXT
