"""``arc-inspector audit PID``: what viewers did to a process, oldest first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from inspector.commands.support.asking import ask_target
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_private_json
from inspector.commands.support.tables import Column, Table
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.session.answers import audit_log
from inspector.session.protocol import AuditedAct, AuditLog
from inspector.vocabulary import handle_text

_COLUMNS: Final = (
    Column("At"),
    Column("Act"),
    Column("By process", 1, is_number=True),
    Column("User", 3, is_number=True),
    Column("Handles", 2, is_number=True),
    Column("Outcome"),
    Column("Result"),
)


@keeps_parts
def audit(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print what viewers did to a process: collections, closes, cancels, drains, levels."""
    log = audit_log(ask_target(pid, "audit"))
    if as_json:
        value = {
            "acts": [act_value(act) for act in log.acts],
            "dropped": log.dropped,
            "trouble": log.trouble or None,
        }
        print_private_json(value, pid, kept)
    else:
        _print(log)


def act_value(act: AuditedAct) -> Mapping[str, Any]:
    """One act as JSON."""
    return {
        "at": act.at,
        "op": act.op,
        "pid": act.pid,
        "uid": act.uid,
        "handles": [handle_text(handle) for handle in act.handles],
        "handle_count": act.handle_count,
        "outcome": act.outcome,
        "result": act.result,
        "wish": act.wish,
    }


def result_text(act: AuditedAct) -> str:
    """The outcome, for people: ``#5.1 closed, #6.1 pending``, ``collected 3, released 1``."""
    match act.result:
        case None:
            return ""
        case str():
            return act.result
        case list():
            return ", ".join(
                f"{handle_text(int(each['handle']))} {each['outcome']}" for each in act.result
            )
        case Mapping():
            return ", ".join(
                f"{name.replace('_', ' ')} {value}" for name, value in act.result.items()
            )
        case _:
            return json.dumps(act.result, default=str)


def _print(log: AuditLog) -> None:
    if log.trouble:
        say(log.trouble)
    if not log.acts:
        say("No viewer has done anything to this process.")
        return
    table = Table(*_COLUMNS)
    for act in log.acts:
        at = datetime.fromtimestamp(act.at, tz=UTC).astimezone()
        outcome, result = act.outcome, result_text(act)
        table.add(
            f"{at:%H:%M:%S}",
            act.op,
            str(act.pid),
            str(act.uid),
            f"{act.handle_count:,}" or "–",
            outcome,
            result,
        )
    table.print()
    if log.dropped:
        say(f"… and {log.dropped:,} older actions that are not kept")
