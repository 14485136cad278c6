"""``arc-inspector close PID HANDLE…`` and ``close PID --filter TEXT``: close resources, guarded.

What others hold is refused with their names; ``--although-held`` closes it all the same,
``--dry-run`` only says what would happen. Objects that need another one of those asked for are
closed before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

import numpy as np
import typer

from inspector.commands.support.opening import open_live
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_private_json
from inspector.commands.support.rows import answer_value
from inspector.commands.support.tables import Column, Table
from inspector.errors import ControlError, TargetBusyError, UsageError
from inspector.model.filter import Filter, FilterError, parse
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot
from inspector.model.wording import plural
from inspector.session.close_plan import OPEN, UNGUARDED, found_by, in_order, others_of
from inspector.session.protocol import CANCELLING, CloseAnswer, Session
from inspector.vocabulary import PENDING, Resource, handle_text
from inspector.wire.schema import handle_number

REFUSED_STATUS: Final = 1
_SHOWN: Final = re.compile(r"#?(?P<slot>\d{1,10})\.(?P<generation>\d{1,10})")
_GOOD: Final = UNGUARDED | {"closed", "pending", "taken_back", "cancelling"}
_MOST: Final = 2**64


@keeps_parts
def close(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    handles: Annotated[
        list[str] | None, typer.Argument(metavar="HANDLE…", help="As shown (#88.1) or as a number.")
    ] = None,
    filter_text: Annotated[
        str,
        typer.Option(
            "--filter",
            help=("All open resources that the window's filter shows: 'type:Journal age>10s'."),
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    although_held: Annotated[
        bool, typer.Option("--although-held", help="Also resources that other code holds or uses.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the plan.")] = False,
    deadline_secs: Annotated[
        float | None,
        typer.Option(
            "--deadline",
            metavar="SECS",
            min=0,
            help=("Withdraw closes that are still pending after so many seconds."),
        ),
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help=("Take pending closes back instead."))
    ] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Close resources of a process, or take pending closes back."""
    named = [parse_handle(text) for text in handles or ()]
    wanted_by = parse_filter(filter_text)
    if not named and not wanted_by.terms:
        raise UsageError("nothing to close: name handles, or use --filter")
    with open_live(pid) as (session, snapshot):
        wanted = [full_number(handle, snapshot) for handle in named]
        states = PENDING if cancel else OPEN
        wanted += [
            handle for handle in found_by(wanted_by, snapshot, states) if handle not in wanted
        ]
        left_out = (
            0
            if cancel
            else len(set(found_by(wanted_by, snapshot, (Resource.UNKNOWN,))).difference(wanted))
        )
        if cancel:
            answers = tuple(taken_back(session, handle) for handle in wanted)
        else:
            answers = ask(
                session,
                wanted,
                although_held=although_held,
                dry_run=dry_run,
                deadline_secs=deadline_secs,
            )
    if as_json:
        told = [answer_value(answer) for answer in answers]
        print_private_json({"answers": told, "left_out_unknown": left_out}, pid, kept)
    else:
        _print(answers)
        if left_out:
            say(
                f"Left out: {plural(left_out, 'resource')}, because it is not known "
                "whether they "
                "are closed. Name a handle to close it."
            )
    if any(answer.outcome not in _GOOD for answer in answers):
        raise typer.Exit(REFUSED_STATUS)


def parse_filter(text: str) -> Filter:
    """The window's filter. Raises ``UsageError``."""
    try:
        return parse(text)
    except FilterError as error:
        raise UsageError(f"the filter is not understood: {error}") from error


def parse_handle(text: str) -> int:
    """``#88.1``, ``88.1`` or the number itself. Raises ``UsageError``."""
    shown = _SHOWN.fullmatch(text)
    if shown:
        return handle_number(int(shown["slot"]), int(shown["generation"]))
    try:
        number = int(text, 0)
    except ValueError:
        raise UsageError(f"not a handle, write it as it is shown (#88.1): {text}") from None
    if not 0 < number < _MOST:
        raise UsageError(f"not a handle, it is out of range: {text}")
    return number


def full_number(handle: int, snapshot: Snapshot) -> int:
    """The number with its foreign bit, which is not shown.

    The number itself when the snapshot does not know it.
    """
    known = snapshot.handles.ids
    found = known[known >> np.uint64(1) == np.uint64(handle >> 1)]
    return int(found[0]) if len(found) else handle


def taken_back(session: Session, handle: int) -> CloseAnswer:
    """Cancel one pending close."""
    try:
        is_taken_back = session.cancel_close(handle).result()
    except TargetBusyError:
        raise
    except ControlError as error:
        return CloseAnswer(handle, "refused", str(error))
    if is_taken_back:
        return CloseAnswer(handle, "taken_back", "")
    return CloseAnswer(handle, "cancelling", CANCELLING)


def ask(
    session: Session,
    wanted: Sequence[int],
    *,
    although_held: bool,
    dry_run: bool,
    deadline_secs: float | None = None,
) -> tuple[CloseAnswer, ...]:
    """Preview, then close the resources that may be closed.

    Nothing is closed when a close would be refused, so that there is one outcome.
    """
    if not wanted:
        return ()
    previewed = in_order(session.preview_close(wanted).result())
    if not although_held:
        previewed = tuple(guarded(answer, wanted) for answer in previewed)
    if dry_run or any(answer.outcome == "refused" for answer in previewed):
        return previewed
    handles = [answer.handle for answer in previewed]
    return session.close_handles(
        handles, although_held=although_held, deadline_secs=deadline_secs
    ).result()


def guarded(answer: CloseAnswer, wanted: Sequence[int] = ()) -> CloseAnswer:
    """Refuse resources that would close but are held by other objects.

    Holders that are closed before the resource do not count.
    """
    others = others_of(answer, wanted)
    if answer.outcome not in UNGUARDED or not others:
        return answer
    return replace(answer, outcome="refused", reason=f"still held by {', '.join(answer.holders)}")


def _print(answers: Sequence[CloseAnswer]) -> None:
    if not answers:
        say("The filter shows no resource that this command can act on.")
        return
    table = Table(Column("Handle"), Column("Outcome"), Column("Reason"), Column("Held by", 1))
    for answer in answers:
        table.add(
            handle_text(answer.handle),
            answer.outcome.replace("_", " "),
            answer.reason,
            ", ".join(answer.holders),
        )
    table.print()
