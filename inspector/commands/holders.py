"""``arc-inspector holders PID '#88.1'``: the count equation of a handle, and all that holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

import numpy as np
import typer

from inspector.commands.close import full_number, parse_handle
from inspector.commands.support.opening import SETTLE_SECS
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import PlainRow, about_value, count, row_value
from inspector.commands.support.searches import searched
from inspector.commands.support.shapes import (
    EquationShape,
    NamedHolderShape,
    PathShape,
    StepShape,
    UnseenShape,
)
from inspector.commands.support.sources import Source, opened_source
from inspector.errors import ControlError, InspectorError
from inspector.model.equation import CountEquation, equation_of, with_keepers, with_names
from inspector.model.exports.headlines import headline
from inspector.model.fields import to_plain
from inspector.model.holders import (
    NamedHolder,
    NativeHolders,
    PathStep,
    Retainers,
    UnseenHolder,
)
from inspector.model.native_calls import keepers_of
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot
from inspector.model.wording import UNKNOWN_TEXT, number, plural
from inspector.session.protocol import Session
from inspector.vocabulary import handle_text

Answer = TypeVar("Answer")
_TERMS: Final = ("proxies", "in_flight", "named", "native", "unexplained", "missing")


@dataclass(frozen=True, slots=True)
class Held:
    """The answers about one handle; ``None``: it could not be asked, and ``troubles`` say why."""

    row: int
    equation: CountEquation
    native: NativeHolders | None
    python: Retainers | None
    troubles: tuple[str, ...]


@keeps_parts
def holders(
    source: Source,
    handle: Annotated[str, typer.Argument(metavar="HANDLE", help="As it is shown: '#88.1'.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print what holds the object of a handle: the count equation, native holders, paths to roots.

    A file tells only the equation.
    """
    wanted = parse_handle(handle)
    with opened_source(source) as (session, snapshot):
        held = find_holders(session, snapshot, full_number(wanted, snapshot))
    if as_json:
        print_redacted(snapshot, kept, holders_value, held)
    else:
        _print(snapshot, held)


def find_holders(session: Session, snapshot: Snapshot, handle: int) -> Held:
    """Ask for all holders of a handle. Raises ``ControlError`` when there is no such handle."""
    rows = np.flatnonzero(snapshot.handles.ids == np.uint64(handle))
    if not len(rows):
        raise ControlError(f"there is no such handle: {handle_text(handle)}")
    row = int(rows[0])
    kind = snapshot.types.get(int(snapshot.handles.types[row]))
    keepers = keepers_of(snapshot, handle)
    equation = with_keepers(equation_of(snapshot.handles, row, kind), keepers)
    troubles: list[str] = []
    native = _asked(lambda: session.native_holders(handle).result(SETTLE_SECS), troubles)
    python = _asked(
        lambda: searched(lambda search: session.retainers(handle, search), "holders"), troubles
    )
    if native is not None:
        native = native.beside(keepers)
        equation = with_names(equation_of(snapshot.handles, row, kind), native)
    return Held(row, equation, native, python, tuple(dict.fromkeys(troubles)))


def _asked(ask: Callable[[], Answer], troubles: list[str]) -> Answer | None:
    """The answer; ``None``, with the reason in ``troubles``."""
    try:
        return ask()
    except TimeoutError:
        troubles.append("the target did not answer in time")
    except InspectorError as error:
        troubles.append(str(error))
    return None


def holders_value(snapshot: Snapshot, held: Held) -> PlainRow:
    """The object that ``--json`` prints. Texts of holders are as the target gave them."""
    native, python = held.native, held.python
    return about_value(snapshot) | {
        "handle": row_value(snapshot, held.row),
        "equation": to_plain(_equation(held.equation)),
        "native": None if native is None else [to_plain(_named(each)) for each in native.named],
        "unread": None if native is None else native.unread,
        "paths": None
        if python is None
        else [
            to_plain(PathShape(path.is_rooted, tuple(map(_step, path.steps))))
            for path in python.paths
        ],
        "unseen": None if python is None else [to_plain(_unseen(each)) for each in python.unseen],
        "holders": None if python is None else python.holders,
        "is_cut": None if python is None else python.is_cut,
        "troubles": [*held.troubles, *(python.notes() if python is not None else ())],
    }


def _equation(equation: CountEquation) -> EquationShape:
    known = equation.known
    return EquationShape(
        strong=count(equation.strong),
        weak=count(equation.weak),
        proxies=count(equation.proxies),
        in_flight=count(equation.in_flight),
        named=equation.named if equation.names_known and known else None,
        native=count(equation.native),
        unexplained=equation.unexplained if known else None,
        missing=equation.missing if known else None,
    )


def _named(holder: NamedHolder) -> NamedHolderShape:
    return NamedHolderShape(
        holder.text(),
        holder.count,
        holder.is_exact,
        handle_text(holder.handle) if holder.handle else None,
    )


def _unseen(holder: UnseenHolder) -> UnseenShape:
    return UnseenShape(
        holder.text, holder.words, holder.steps, holder.held or None, holder.is_certain
    )


def _step(step: PathStep) -> StepShape:
    return StepShape(step.kind, step.text, step.file or None, step.line or None)


def _print(snapshot: Snapshot, held: Held) -> None:
    row = row_value(snapshot, held.row)
    say(headline(snapshot))
    say(f"{row['id']} {row['type'] or UNKNOWN_TEXT} {row['state']}")
    say(equation_line(held.equation))
    _print_native(held.native)
    _print_python(held.python)
    for trouble in held.troubles:
        say(f"Not known: {trouble}")


def equation_line(equation: CountEquation) -> str:
    """``strong 3 = proxies 1 + native 2``; the terms that are 0 are left out."""
    shape = to_plain(_equation(equation))
    terms = [f"{name.replace('_', ' ')} {shape[name]:,}" for name in _TERMS if shape[name]]
    return f"strong {number(equation.strong)} = {' + '.join(terms) or '0'}"


def _print_native(native: NativeHolders | None) -> None:
    if native is None:
        return
    for holder in native.named:
        say(f"  native: {holder.text()} ({plural(holder.count, 'reference')})")
    if not native.named:
        say("  native: no reference has a name")
    if native.unread:
        say(f"  native: {plural(native.unread, 'object')} could not be asked")


def _print_python(python: Retainers | None) -> None:
    if python is None:
        return
    for path in python.paths:
        say("  python:" if path.is_rooted else "  python, without a root:")
        for depth, step in enumerate(path.steps):
            place = f"  {step.file}:{step.line}" if step.line else ""
            say(f"    {'  ' * depth}{step.text}{place}")
    if not python.paths and not python.unseen:
        say("  python: no holder was found")
    for holder in python.unseen:
        say(f"  unknown to the collector: {holder.line()}")
    if python.is_cut:
        say("  the search ended at its limit: there may be more")
    for note in python.notes():
        say(f"  {note}")
