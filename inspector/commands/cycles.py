"""``arc-inspector cycles PID``: cycles across the boundary, with the edge to cut."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from inspector.commands.close import full_number, parse_handle
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import PlainRow, about_value
from inspector.commands.support.searches import searched
from inspector.commands.support.shapes import CycleShape, NodeShape
from inspector.commands.support.sources import Source, opened_source
from inspector.errors import UNKNOWN_STATUS, ControlError, TargetBusyError
from inspector.model.exports.headlines import headline
from inspector.model.fields import to_plain
from inspector.model.holders import Cycle, CycleNode, CycleReport
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot
from inspector.model.wording import plural
from inspector.session.protocol import Session
from inspector.vocabulary import handle_text


@keeps_parts
def cycles(
    source: Source,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    handle: Annotated[str, typer.Option("--handle", help="Only through this handle.")] = "",
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print the cycles Python → native → Python, which no garbage collector takes apart.

    Exit status 1: there is a cycle. 4: of a file, or a process that is gone, they are not known.
    """
    number = parse_handle(handle) if handle else 0
    with opened_source(source) as (session, snapshot):
        wanted = full_number(number, snapshot) if number else 0
        report = _asked(session, wanted)
    if as_json:
        print_redacted(snapshot, kept, cycles_value, report)
    elif isinstance(report, str):
        say(headline(snapshot))
        say(f"Not known: {report}")
    else:
        _print(snapshot, report)
    raise typer.Exit(UNKNOWN_STATUS if isinstance(report, str) else 1 if report.count else 0)


def _asked(session: Session, handle: int) -> CycleReport | str:
    """The answer of the process, or the reason why it has none."""
    try:
        return searched(lambda search: session.cycles(handle, search), "cycles")
    except TargetBusyError:
        raise
    except ControlError as error:
        return str(error)


def cycles_value(snapshot: Snapshot, report: CycleReport | str) -> PlainRow:
    """The object that ``--json`` prints; ``report`` is the reason where the answer is not known."""
    about = about_value(snapshot)
    if isinstance(report, str):
        unknown = dict.fromkeys(("cycles", "count", "looked_at", "is_cut"))
        return about | unknown | {"troubles": [report]}
    return about | {
        "notes": [*about["notes"], *report.notes()],
        "cycles": [to_plain(_shape(each)) for each in report.cycles],
        "count": report.count,
        "looked_at": report.looked_at,
        "is_cut": report.is_cut,
        "troubles": [],
    }


def _shape(cycle: Cycle) -> CycleShape:
    return CycleShape(tuple(map(_node, cycle.nodes)), cycle.cut or None, cycle.is_exact)


def _node(node: CycleNode) -> NodeShape:
    return NodeShape(
        side=node.side,
        text=node.text,
        edge=node.edge,
        handle=handle_text(node.handle) if node.handle else None,
        file=node.file or None,
        line=node.line or None,
        is_exact=node.is_exact,
    )


def _print(snapshot: Snapshot, report: CycleReport) -> None:
    """Cycles that are alike are printed once, with their number."""
    say(headline(snapshot))
    alike = Counter(cycle.kind() for cycle in report.cycles)
    shown = {cycle.kind(): cycle for cycle in reversed(report.cycles)}
    for kind, count in alike.items():
        say()
        say(f"{plural(count, 'cycle')} of {plural(len(kind), 'node')}:")
        _print_cycle(shown[kind])
    if not report.count:
        say(f"No cycle across the boundary was found; {report.looked_at:,} objects were looked at.")
    elif report.count > len(report.cycles):
        say(f"and {plural(report.count - len(report.cycles), 'more cycle')}")
    if report.is_cut:
        say("The search ended at its limit: there may be more.")
    for note in report.notes():
        say(f"Note: {note}")


def _print_cycle(cycle: Cycle) -> None:
    cut = cycle.cut_index()
    for index, node in enumerate(cycle.nodes):
        handle = f" {handle_text(node.handle)}" if node.handle else ""
        sign = "" if node.is_exact else "≈ "
        say(f"  {node.side:6} {node.text}{handle}")
        say(f"         {sign}{node.edge}{'   ✂ cut here' if index == cut else ''}")
