"""The steps to close some resources, in order: made from the answers of a preview.

A target lists for each handle its holders, and the objects that need it and have to be closed
before (a cursor before its journal). The plan puts those objects first, lists other holders, and
names the parts that need a person's consent. Pure; any thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.model.filter import Filter
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive
from inspector.session.protocol import CloseAnswer
from inspector.vocabulary import PENDING, Resource, handle_text

UNGUARDED: Final = frozenset({"would_close", "would_wait"})
"""Outcomes of previews that others' holds do not change: a person has to agree first."""
_CLOSABLE: Final = UNGUARDED | {"pending"}
FATES: Final = {
    "closes": "will close",
    "waits": "will be asked to close, and wait",
    "held": "held by others",
    "refused": "cannot be closed",
}
"""What can become of a step, in words; in the order in which a person wants to hear of it."""
OPEN: Final = (Resource.OPEN, Resource.CLOSE_FAILED)
LEFT_OUT: Final = (
    ("that cannot close", (Resource.NONE,)),
    ("with a pending close", PENDING),
    ("closed already", (Resource.CLOSED,)),
    ("of which it is not known whether it is closed", (Resource.UNKNOWN,)),
    ("that can only be released", (Resource.POISONED,)),
    ("freed already", (Resource.FREED,)),
)
"""Why live rows are not closed with all that are shown, by their state."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's consent."""

    held: bool = False
    """Close also what others hold or use."""
    needed: bool = False
    """Close also, and first, what needs the things asked for."""


@dataclass(frozen=True, slots=True)
class Step:
    """One resource of a plan."""

    answer: CloseAnswer
    """As previewed."""
    is_added: bool
    """Nobody asked for it; another one cannot be closed before it."""
    others: tuple[str, ...]
    """Holders, apart from what is closed before it in this plan."""

    @property
    def is_held(self) -> bool:
        """It has a holder that is not closed before it."""
        return bool(self.others)


@dataclass(frozen=True, slots=True)
class ClosePlan:
    """Previews in the order in which they have to be closed."""

    asked: tuple[int, ...]
    answers: tuple[CloseAnswer, ...] = ()

    def with_answers(self, more: Iterable[CloseAnswer]) -> ClosePlan:
        """The plan with further previews; repeated previews of a handle are ignored."""
        known = {answer.handle for answer in self.answers}
        new = [answer for answer in more if answer.handle not in known]
        return replace(self, answers=in_order((*self.answers, *new)))

    def unknown(self) -> tuple[int, ...]:
        """Handles that have to be closed first and were not previewed yet."""
        known = {answer.handle for answer in self.answers}
        wanted = dict.fromkeys(handle for answer in self.answers for handle in answer.first)
        return tuple(handle for handle in wanted if handle not in known)

    def steps(self, consent: Consent) -> tuple[Step, ...]:
        """All requested closes, and with consent the closes they need first, in order."""
        asked = frozenset(self.asked)
        shown = [answer for answer in self.answers if answer.handle in asked or consent.needed]
        going: set[int] = set()
        steps = []
        for answer in shown:
            step = Step(
                answer, is_added=answer.handle not in asked, others=others_of(answer, going)
            )
            steps.append(step)
            # a waiting close holds up the rest
            if goes(step, consent) and answer.outcome == "would_close":
                going.add(answer.handle)
        return tuple(steps)

    def wanted(self, consent: Consent) -> tuple[int, ...]:
        """The resources to close, in order."""
        return tuple(step.answer.handle for step in self.steps(consent) if goes(step, consent))

    def needed(self) -> tuple[int, ...]:
        """Resources that were not requested but have to be closed before."""
        asked = frozenset(self.asked)
        return tuple(answer.handle for answer in self.answers if answer.handle not in asked)


def goes(step: Step, consent: Consent) -> bool:
    """Whether this step is taken."""
    return step.answer.outcome in _CLOSABLE and (
        consent.held or not step.is_held or step.answer.outcome == "pending"
    )


def others_of(answer: CloseAnswer, closed_before: Iterable[int]) -> tuple[str, ...]:
    """Holders that remain when ``closed_before`` is closed.

    A target lists objects to close first as holders too, with their id.
    """
    before = frozenset(closed_before)
    gone = {handle_text(handle) for handle in answer.first if handle in before}
    return tuple(
        holder
        for holder in answer.holders
        if not any(number in holder.split(",")[0].split() for number in gone)
    )


def in_order(answers: Sequence[CloseAnswer]) -> tuple[CloseAnswer, ...]:
    """A dependent object comes before the object it needs; otherwise the order is kept."""
    by_handle = {answer.handle: answer for answer in answers}
    ordered: dict[int, CloseAnswer] = {}

    def place(answer: CloseAnswer, above: frozenset[int]) -> None:
        for handle in answer.first:
            if handle in by_handle and handle not in above:
                place(by_handle[handle], above | {answer.handle})
        ordered.setdefault(answer.handle, answer)

    for answer in answers:
        place(answer, frozenset())
    return tuple(ordered.values())


def found_by(wanted: Filter, snapshot: Snapshot, states: tuple[Resource, ...] = OPEN) -> list[int]:
    """Resources in one of these states that a filter shows, in slot order.

    One handle of each object is listed; none for an empty filter.
    """
    if not wanted.terms:
        return []
    return open_resources(snapshot, wanted.mask(snapshot), states)


def open_resources(
    snapshot: Snapshot, shown: npt.NDArray[np.bool_], states: tuple[Resource, ...] = OPEN
) -> list[int]:
    """Resources among the rows ``shown`` in one of these states, in slot order.

    One handle of each object is listed.
    """
    handles = snapshot.handles
    rows = shown & alive(handles) & np.isin(handles.resources, states)
    # a row whose address is not known stands for itself
    objects = np.where(handles.addresses == 0, handles.ids, handles.addresses)[rows]
    _, firsts = np.unique(objects, return_index=True)
    return [int(handle) for handle in handles.ids[rows][np.sort(firsts)]]


def unclosable_words(snapshot: Snapshot, handles: Sequence[int]) -> str:
    """Why none of ``handles`` can be closed, for a person; ``""``: at least one may be closed."""
    table = snapshot.handles
    chosen = np.isin(table.ids, np.array(handles, np.uint64))
    may_close = (*OPEN, *PENDING, Resource.UNKNOWN)
    live = chosen & alive(table)
    if not chosen.any() or (live & np.isin(table.resources, may_close)).any():
        return ""
    if not live.any():
        return "it has ended" if len(handles) == 1 else "all of them have ended"
    if (table.resources[live] == Resource.NONE).all():
        types = {int(index) for index in table.types[live]}
        names = [row.name for index, row in snapshot.types.items() if index in types]
        return f"{' and '.join(names[:2]) or 'it'} cannot close: it ends with its last reference"
    counts = (
        (int(np.count_nonzero(live & np.isin(table.resources, states))), reason)
        for reason, states in LEFT_OUT
    )
    return f"selected are {', '.join(f'{count:,} {reason}' for count, reason in counts if count)}"


def left_out_words(wanted: Filter, snapshot: Snapshot) -> str:
    """The rows that a filter shows and ``found_by`` leaves out, by their reason.

    ``12 that cannot close, 3 closed already``; ``""``: none is left out.
    """
    if not wanted.terms:
        return ""
    handles, shown = snapshot.handles, wanted.mask(snapshot)
    live = shown & alive(handles)
    asked = np.isin(handles.ids, np.array(found_by(wanted, snapshot), np.uint64))
    counts = {reason: live & np.isin(handles.resources, states) for reason, states in LEFT_OUT}
    counts |= {
        "of an object that is listed": live & np.isin(handles.resources, OPEN) & ~asked,
        "that ended": shown & ~alive(handles),
    }
    return ", ".join(
        f"{count:,} {reason}"
        for reason, rows in counts.items()
        if (count := int(np.count_nonzero(rows)))
    )


def counted(
    steps: Sequence[Step], consent: Consent, names: Mapping[int, str]
) -> tuple[tuple[str, str, int], ...]:
    """The number of resources by fate and type: ``("closes", "Journal", 120)``.

    Within a fate the type with the most resources comes first.
    """
    found = Counter((fate_of(step, consent), names.get(step.answer.handle, "")) for step in steps)
    order = tuple(FATES)
    ranked = sorted(found.items(), key=lambda item: (order.index(item[0][0]), -item[1], item[0][1]))
    return tuple((fate, name, count) for (fate, name), count in ranked)


def fate_of(step: Step, consent: Consent) -> str:
    """A key of ``FATES``."""
    if not goes(step, consent):
        return "held" if step.answer.outcome in _CLOSABLE else "refused"
    return "closes" if step.answer.outcome == "would_close" else "waits"
