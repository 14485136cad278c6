"""``arc-inspector doctor [PID]``: why attaching works or not, and the safest fix first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from inspector.attach.causes import Cause, Diagnosis, Weight
from inspector.attach.glimpse import Glimpse, glimpse
from inspector.attach.linux import require_support
from inspector.attach.selftest import Check, run_checks
from inspector.attach.waits import waits_on
from inspector.attach.way import Way
from inspector.commands.output import print_json, printable
from inspector.commands.preparing import diagnosis_of
from inspector.commands.rows import PlainRow
from inspector.errors import AttachError

_WAYS: Final = {
    Way.AGENT: "at once, its agent runs: arc-inspector attach {pid}",
    Way.REMOTE: "by CPython's own remote interface, without stopping it: arc-inspector attach {pid}",
    Way.INJECT: "by borrowing one of its threads for a few milliseconds: arc-inspector attach {pid} --inject",
}
_SIGNS: Final = {Weight.BLOCKS: "✗", Weight.ASKS: "!", Weight.NOTE: "·"}


def doctor(
    pid: Annotated[int | None, typer.Argument(help="Process id; without one, this machine and installation are checked.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say why attaching works or not, and what helps, the safest first. Exit status 3: it does not work."""
    require_support()
    raise typer.Exit(_machine(as_json) if pid is None else _process(pid, as_json))


def _process(pid: int, as_json: bool) -> int:
    diagnosis = diagnosis_of(pid)
    if as_json:
        print_json(_value(diagnosis))
    else:
        print(printable(_headline(diagnosis)))
        for cause in diagnosis.causes:
            _print_cause(cause.text, cause.weight, cause.fixes)
        if not diagnosis.is_possible:
            _print_glimpse(glimpse(pid))
    return 0 if diagnosis.is_possible else AttachError.exit_status


def _print_glimpse(seen: Glimpse) -> None:
    """What is left when nothing may be loaded, called by its name."""
    if not seen.threads:
        return
    print("What can be told from outside, as a fallback (read only, no handles and no counts):")
    if seen.packages:
        print(printable(f"  UniFFI packages: {', '.join(seen.packages)}"))
    for thread in seen.threads:
        print(printable(f"  thread {thread.tid} ({thread.name}) {thread.waits}"))
    if seen.more_threads:
        print(f"  and {seen.more_threads:,} more")


def _glimpse_value(seen: Glimpse) -> PlainRow:
    threads = [{"tid": each.tid, "name": each.name or None, "waits": each.waits} for each in seen.threads]
    return {"threads": threads, "more_threads": seen.more_threads, "packages": list(seen.packages)}


def _headline(diagnosis: Diagnosis) -> str:
    facts = diagnosis.facts
    name = f"Process {facts.pid}" + (f" ({facts.name})" if facts.name else "")
    if diagnosis.way is None:
        return f"{name} cannot be attached"
    version = f", CPython {facts.version[0]}.{facts.version[1]}" if facts.version else ""
    main = f"; its main thread {waits_on(facts.pid)}" if diagnosis.way is Way.REMOTE else ""
    return f"{name}{version} can be attached {_WAYS[diagnosis.way].format(pid=facts.pid)}{main}"


def _print_cause(text: str, weight: Weight, fixes: Sequence[str]) -> None:
    print(printable(f"  {_SIGNS[weight]} {text}"))
    for fix in fixes:
        print(printable(f"      → {fix}"))


def _value(diagnosis: Diagnosis) -> PlainRow:
    facts = diagnosis.facts
    return {
        "pid": facts.pid,
        "name": facts.name or None,
        "user": facts.user or None,
        "runtime": f"CPython {facts.version[0]}.{facts.version[1]}" if facts.version else None,
        "attachable": diagnosis.is_possible,
        "way": diagnosis.way.value if diagnosis.way else None,
        "fallback": None if diagnosis.is_possible else _glimpse_value(glimpse(facts.pid)),
        "causes": [_cause_value(each) for each in diagnosis.causes],
    }


def _cause_value(cause: Cause) -> PlainRow:
    return {"key": cause.key, "weight": cause.weight.value, "text": cause.text, "fixes": list(cause.fixes)}


def _machine(as_json: bool) -> int:
    checks: list[Check] = []
    for check in run_checks():
        checks.append(check)
        if not as_json:
            weight = Weight.NOTE if check.is_well else check.weight
            _print_check(check, weight)
    is_well = not any(check.weight is Weight.BLOCKS and not check.is_well for check in checks)
    if as_json:
        listed = [
            {"key": each.key, "well": each.is_well, "text": each.text, "fixes": [] if each.is_well else list(each.fixes)} for each in checks
        ]
        print_json({"attachable": is_well, "checks": listed})
    return 0 if is_well else AttachError.exit_status


def _print_check(check: Check, weight: Weight) -> None:
    print(printable(f"{'✓' if check.is_well else _SIGNS[weight]} {check.text}"))
    for fix in () if check.is_well else check.fixes:
        print(printable(f"    → {fix}"))
