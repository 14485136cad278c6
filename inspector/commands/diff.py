"""``arc-inspector diff A B``: what was born, died, survived and changed between two states."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.commands.app import version_line
from inspector.commands.support.files import open_saved
from inspector.commands.support.opening import SETTLE_SECS, Watch, is_pid, settled_session
from inspector.commands.support.options import Force, parse_span, require_absent
from inspector.commands.support.output import print_json, say
from inspector.commands.support.redacting import (
    Preview,
    keeps_parts,
    print_preview,
    say_left_out,
    say_saved,
)
from inspector.commands.support.rows import PlainRow
from inspector.commands.support.saving import save_text
from inspector.commands.support.sources import existing
from inspector.commands.support.tables import Column, Table
from inspector.errors import UsageError
from inspector.model.diff import Change, Diff, Fate, diff
from inspector.model.exports.page import diff_page_text
from inspector.model.marks import MarkedState, mark_now
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.model.wording import UNKNOWN_TEXT, clock, number, signed
from inspector.session.private_facts import private_facts
from inspector.session.protocol import Replay
from inspector.vocabulary import handle_text

MOST_LINES: Final = 40
LISTED_HANDLES: Final = 20
COUNTS: Final = ("before", "after", "born", "dead", "survived", "changed", "passed")
_COLUMNS: Final = (
    Column("Type"),
    Column("Made at"),
    Column("Before", 2, is_number=True),
    Column("After", 1, is_number=True),
    Column("Net", is_number=True),
    Column("Born", 3, is_number=True),
    Column("Dead", 3, is_number=True),
    Column("Survived", 5, is_number=True),
    Column("Changed", 4, is_number=True),
)
_MOMENT: Final = re.compile(r"(?P<file>.+)@(?P<moment>[^@/]+)")


@keeps_parts
def diff_states(
    first: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help=("A process id, a screenshot, or a session file (FILE@10s, FILE@MARK)."),
        ),
    ],
    second: Annotated[
        str,
        typer.Argument(
            metavar="B", help=("As A; a session file without @ stands for its last moment.")
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    by_type: Annotated[
        bool,
        typer.Option("--by-type", help=("One line a type instead of a line a type and place.")),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write the comparison as one page."),
    ] = None,
    force: Force = False,
    preview: Preview = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print the handles that were born, died, survived or changed from A to B.

    Within one process by handle; between two processes by numbers.
    """
    if html is not None and not preview:
        require_absent(html, force=force)
    redactor = Redactor(private_facts(), kept)
    states = (
        state_of(source, is_first=is_first, seen=redactor.learn)
        for source, is_first in ((first, True), (second, False))
    )
    found = diff(*states)
    if preview:
        _redacted(found, redactor)
        print_preview(redactor)
    elif html is not None:
        shown = _redacted(found, redactor)
        page = diff_page_text(shown, version_line(), redactor.sentence())
        save_text(page, html, may_replace=force)
        say_saved(html, redactor)
    elif as_json:
        print_json(redactor.json(diff_value(found)))
        say_left_out(redactor)
    else:
        _print(found, found.types if by_type else found.places)


def state_of(
    source: str, *, is_first: bool, seen: Callable[[Snapshot], None] = lambda _: None
) -> MarkedState:
    """The state that a word of the command line names. Raises ``InspectorError``.

    A session file without a moment gives its first state as A, its last as B. ``seen`` gets its
    snapshot.
    """
    snapshot, name = _snapshot_of(source, is_first=is_first)
    seen(snapshot)
    return mark_now(snapshot, name)


def _snapshot_of(source: str, *, is_first: bool) -> tuple[Snapshot, str]:
    """The snapshot, and its name in the comparison."""
    if is_pid(source):
        with settled_session(int(source)) as (_, snapshot):
            return snapshot, f"process {source}"
    found = None if Path(source).exists() else _MOMENT.fullmatch(source)
    path, moment = (Path(found["file"]), found["moment"]) if found else (Path(source), "")
    session = open_saved(existing(str(path)))
    try:
        if isinstance(session, Replay):
            at = _moment(session, moment, is_first=is_first)
            return session.state_at(at).result(), moment or path.name
        if moment:
            raise UsageError(f"only a session file has moments to choose from: {source}")
        return Watch(session).wait(lambda _: True, SETTLE_SECS), path.name
    finally:
        session.end()


def diff_value(found: Diff) -> PlainRow:
    """The object that ``--json`` prints."""
    return {
        "before": _state_value(found.before),
        "after": _state_value(found.after),
        "same_process": found.is_same_process,
        "total": _change_value(found.total()),
        "types": [_change_value(each) for each in found.types],
        "sites": [
            _change_value(each) | {"born_handles": _ids(found, each)} for each in found.places
        ],
    }


def _moment(replay: Replay, moment: str, *, is_first: bool) -> float:
    if not moment:
        return float(replay.moments[0 if is_first else -1])
    named = [at for at, name in replay.marks if name == moment]
    if named:
        return named[0]
    try:
        return float(replay.moments[0]) + parse_span(moment)
    except UsageError:
        known = ", ".join(name for _, name in replay.marks[:8]) or "none"
        raise UsageError(
            f"neither a span of time from the beginning nor a mark (marks: {known}): {moment}"
        ) from None


def _redacted(found: Diff, redactor: Redactor) -> Diff:
    """The texts of a page, without private parts."""
    return replace(
        found,
        before=redactor.of(found.before),
        after=redactor.of(found.after),
        types=redactor.of(found.types),
        places=redactor.of(found.places),
    )


def _state_value(state: MarkedState) -> PlainRow:
    return {
        "name": state.name,
        "program": state.program,
        "pid": state.process[0],
        "at": state.at,
        "live": len(state),
    }


def _change_value(change: Change) -> PlainRow:
    counts = {
        name: None if getattr(change, name) == UNKNOWN else getattr(change, name) for name in COUNTS
    }
    return {
        "type": change.type_name or None,
        "site": change.site or None,
        **counts,
        "net": change.net,
    }


def _ids(found: Diff, change: Change) -> list[str]:
    return [
        handle_text(int(handle)) for handle in found.handles(Fate.BORN, change)[:LISTED_HANDLES]
    ]


def _print(found: Diff, lines: tuple[Change, ...]) -> None:
    before, after = found.before, found.after
    head = (
        f"{before.name} ({before.program}, {clock(before.at)}) → {after.name} "
        f"({after.program}, {clock(after.at)})"
    )
    say(head)
    if not found.is_same_process:
        say("Two processes have no handle in common: only the numbers are compared.")
    table = Table(*_COLUMNS)
    moved = [
        line for line in lines if line.net or line.born > 0 or line.dead > 0 or line.changed > 0
    ]
    for line in moved[:MOST_LINES]:
        _add(table, line, line.type_name, line.site)
    _add(table, found.total(), "All", "")
    table.print()
    if len(moved) > MOST_LINES:
        say(f"{len(moved) - MOST_LINES:,} more lines: --json prints all.")
    if not moved:
        say("Nothing was born, died or changed.")


def _add(table: Table, line: Change, name: str, site: str) -> None:
    counts = (line.born, line.dead, line.survived, line.changed)
    table.add(
        name,
        site or UNKNOWN_TEXT,
        number(line.before),
        number(line.after),
        _net(line.net),
        *map(number, counts),
    )


def _net(net: int) -> str:
    return f"+{net:,}" if net > 0 else signed(net)
