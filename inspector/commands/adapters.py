"""``arc-inspector adapters [PID]``: the declarations, and their state in a process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.handles import say_hidden, say_lead
from inspector.commands.support.agreeing import (
    agree,
    configured_path,
    declared_by_person,
    is_agreed,
    question_about,
)
from inspector.commands.support.asking import ask_target
from inspector.commands.support.output import print_error, say
from inspector.commands.support.redacting import keeps_parts, print_private_json
from inspector.commands.support.tables import Column, Table
from inspector.errors import UsageError
from inspector.model.findings.leads import Lead
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.session.adapter_answers import AdapterReport, DeclaredClass, adapter_report
from inspector.session.leads import coverage_of
from inspector.wire.declaration_files import Declared, read_file, shipped_names
from inspector.wire.declarations import declaration_value


@keeps_parts
def adapters(
    pid: Annotated[
        int | None,
        typer.Argument(help=("Process id; without it, the declarations of this machine's user.")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    file: Annotated[
        str,
        typer.Option("--check", metavar="FILE", help="Check this file of declarations instead."),
    ] = "",
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help=("Agree to the code that your own declarations have programs run.")
        ),
    ] = False,
    follow: Annotated[
        str,
        typer.Option(
            "--follow",
            metavar="MODULE",
            help="Follow every class of this extension module in the process.",
        ),
    ] = "",
    constants: Annotated[
        bool,
        typer.Option("--constants", help="List the classes that have only constants as objects."),
    ] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print this user's declarations, or the adapters and declarations that a process follows.

    Exit status 1 when any of them reports trouble.
    """
    if pid is not None and file:
        raise UsageError("either a process or a file: arc-inspector adapters [PID | --check FILE]")
    if pid is None and (follow or constants):
        raise UsageError("--follow and --constants need a process: arc-inspector adapters PID …")
    if trust:
        if pid is not None or file:
            raise UsageError("--trust is for your own file alone: arc-inspector adapters --trust")
        agree(declared_by_person())
    troubles = (
        _of_process(pid, kept if as_json else None, follow, with_constants=constants)
        if pid is not None
        else _of_file(Path(file or configured_path()), kept if as_json else None, bool(file))
    )
    for trouble in troubles:
        print_error(trouble)
    raise typer.Exit(1 if troubles else 0)


def _of_process(
    pid: int, kept: Kept | None, follow: str = "", *, with_constants: bool = False
) -> tuple[str, ...]:
    """The classes that a process follows, and their faults; with ``kept`` as JSON.

    ``follow``: a module whose classes are followed first.
    """
    if follow:
        ask_target(pid, "declare", declarations=[{"class": f"{follow}.*"}])
        ask_target(pid, "scan")
    report = adapter_report(ask_target(pid, "adapters"))
    if kept is not None:
        value = {
            "adapters": list(report.names),
            "declared": [_declared_value(each) for each in report.declared],
            "troubles": list(report.troubles),
            "constants": [{"class": name, "count": count} for name, count in report.constants],
            "refused": list(report.refused),
            "notes": list(report.notes),
        }
        print_private_json(value, pid, kept)
    else:
        _print(report)
        coverage = coverage_of(pid, report)
        say_lead(coverage.lead or Lead(), pid)
        if with_constants:
            for name, count in report.constants:
                say(f"constants only: {name} ({count:,})")
        else:
            say_hidden(coverage.hidden, pid)
    return report.notices()


def _of_file(path: Path, kept: Kept | None, is_wanted: bool) -> tuple[str, ...]:
    """The declarations of a file, and their faults; with ``kept`` as JSON."""
    declared = Declared()
    if is_wanted or path.exists():
        read_file(path, declared)
    values = [declaration_value(each) for each in declared.declarations]
    if kept is not None:
        pairs = zip(declared.declarations, values, strict=True)
        runs = [
            {**value, "runs": list(each.code), "shipped": each.is_shipped} for each, value in pairs
        ]
        told = {
            "declared": runs,
            "agreed": is_agreed(declared),
            "troubles": declared.troubles,
            "shipped": shipped_names(),
        }
        print_private_json({"file": str(path), **told}, None, kept)
        return tuple(declared.troubles)
    table = Table(
        Column("declared"),
        Column("handle", 1),
        Column("released", 3),
        Column("close", 2),
        Column("from", 4),
    )
    for each, value in zip(declared.declarations, values, strict=True):
        table.add(
            each.key,
            value.get("handle", ""),
            value.get("released", ""),
            each.close_signature,
            each.source,
        )
    if declared.declarations:
        table.print()
    if not is_wanted and not is_agreed(declared):
        say(f"{question_about(declared)} Not used until you agree: arc-inspector adapters --trust")
    say(
        f"{len(values)} declared in {path}; shipped, to be named in adapters: "
        f"{', '.join(shipped_names())}"
    )
    return tuple(declared.troubles)


def _print(report: AdapterReport) -> None:
    table = Table(
        Column("declared"), Column("rows", 1, is_number=True), Column("state"), Column("from", 2)
    )
    for each in report.declared:
        table.add(each.cls, f"{each.rows:,}", _state(each), each.source)
    if report.declared:
        table.print()
    else:
        say(f"nothing is declared; adapters: {', '.join(report.names)}")
    for note in report.notes:
        say(note)


def _state(declared: DeclaredClass) -> str:
    if declared.trouble:
        return f"{'followed, but ' if declared.is_followed else 'not followed: '}{declared.trouble}"
    if declared.followed_by:
        closes = f", closes by {declared.closes}" if declared.closes else ""
        return f"followed by {declared.followed_by}{closes}"
    return "followed" if declared.is_followed else f"waits: {declared.waits_for}"


def _declared_value(declared: DeclaredClass) -> dict[str, object]:
    return {
        "class": declared.cls,
        "source": declared.source,
        "followed": declared.is_followed,
        "followed_by": declared.followed_by or None,
        "closes": declared.closes or None,
        "rows": declared.rows,
        "waits_for": declared.waits_for or None,
        "trouble": declared.trouble or None,
    }
