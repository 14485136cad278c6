"""``arc-inspector doctor [PID]``: why attaching works or not, and the safest fix first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.attach.diagnosis import Cause, Diagnosis, Method, Weight
from inspector.attach.linux import require_support
from inspector.attach.outside.look import look
from inspector.attach.outside.other_extensions import loaded_extensions
from inspector.attach.outside.seen import Look, SeenFrame
from inspector.attach.selftest import Check, run_checks
from inspector.attach.thread_waits import waits_on
from inspector.commands.support.options import Force, require_absent
from inspector.commands.support.output import say
from inspector.commands.support.preparing import diagnosis_of
from inspector.commands.support.redacting import Preview, keeps_parts, print_private_json
from inspector.commands.support.report import preview_report, write_report
from inspector.commands.support.rows import PlainRow
from inspector.errors import AttachError
from inspector.model.redaction import NOTHING_KEPT, Kept

_WAYS: Final = {
    Method.AGENT: "at once, its agent runs: arc-inspector attach {pid}",
    Method.REMOTE: (
        "by CPython's own remote interface, without stopping it: arc-inspector attach {pid}"
    ),
    Method.INJECT: (
        "by borrowing a thread for a few milliseconds: arc-inspector attach {pid} --inject"
    ),
    Method.JAVA: (
        "by its Java virtual machine's own way to load a tool: arc-inspector attach {pid} --inject"
    ),
}
MOST_EXTENSIONS: Final = 8
"""Extensions that one line names."""
_SIGNS: Final = {Weight.BLOCKS: "✗", Weight.ASKS: "!", Weight.NOTE: "·"}


@keeps_parts
def doctor(
    pid: Annotated[
        int | None,
        typer.Argument(help=("Process id; without it, this machine and installation are checked.")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Write the answer with all versions, for support."
        ),
    ] = None,
    preview: Preview = False,
    force: Force = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print why attaching works or not, and the fixes, safest first.

    Exit status 3: it does not work.
    """
    require_support()
    if report is not None and not preview:
        require_absent(report, force=force)
    shown = kept if as_json else None
    status, answer = _machine(shown) if pid is None else _process(pid, shown)
    if preview:
        preview_report(answer, pid, kept)
    elif report is not None:
        write_report(report, answer, pid, kept=kept, may_replace=force)
    raise typer.Exit(status)


def _process(pid: int, kept: Kept | None) -> tuple[int, PlainRow]:
    diagnosis = diagnosis_of(pid)
    answer = _value(diagnosis)
    if kept is not None:
        print_private_json(answer, pid, kept)
    else:
        say(_headline(diagnosis))
        for cause in diagnosis.causes:
            _print_cause(cause.text, cause.weight, cause.fixes)
        for line in extension_lines(pid):
            say(line)
        if not diagnosis.is_possible:
            _print_fallback(diagnosis)
    return 0 if diagnosis.is_possible else AttachError.exit_status, answer


def extension_lines(pid: int) -> list[str]:
    """The extensions whose objects an agent follows, and those that have to be named first."""
    loaded = loaded_extensions(pid)
    own = [f"{name} ({maker})" for name, maker in loaded if maker.startswith("PyO3")]
    others = [f"{name} ({maker})" for name, maker in loaded if not maker.startswith("PyO3")]
    lines = [f"Followed once attached: {_some(own)}"] if own else []
    if others:
        how = f"arc-inspector adapters {pid} --follow MODULE"
        lines.append(f"Not followed unless named ({how}): {_some(others)}")
    return lines


def _some(names: Sequence[str]) -> str:
    left = len(names) - MOST_EXTENSIONS
    more = f" and {left:,} more" if left > 0 else ""
    return f"{', '.join(names[:MOST_EXTENSIONS])}{more}"


def _print_fallback(diagnosis: Diagnosis) -> None:
    """The way that is left when nothing may be loaded, by its name."""
    seen = _seen(diagnosis.facts.pid)
    if seen is None:
        return
    say("From outside, as a fallback (read only, nothing is loaded or stopped):")
    if diagnosis.is_readable:
        say(
            f"  its objects and their counts: arc-inspector attach {seen.pid} --read-only, or "
            f"handles {seen.pid} --read-only"
        )
    if seen.packages:
        say(f"  UniFFI packages: {', '.join(seen.packages)}")
    for thread in seen.threads:
        where = f" in {_where(thread.stack[0])}" if thread.stack else ""
        gil = ", holds the interpreter's lock" if thread.holds_gil else ""
        say(f"  thread {thread.tid} ({thread.name}) {thread.waits}{where}{gil}")
    if seen.more_threads:
        say(f"  and {seen.more_threads:,} more")
    for note in seen.notes:
        say(f"  {note}")


def _seen(pid: int) -> Look | None:
    """Its threads and packages; ``None``: it is gone."""
    try:
        return look(pid, with_objects=False)
    except AttachError:
        return None


def _where(frame: SeenFrame) -> str:
    return f"{frame.function} ({frame.file.rpartition('/')[2]}:{frame.line})"


def _fallback_value(diagnosis: Diagnosis) -> PlainRow | None:
    seen = None if diagnosis.is_possible else _seen(diagnosis.facts.pid)
    if seen is None:
        return None
    threads = [
        {
            "tid": each.tid,
            "name": each.name or None,
            "waits": each.waits,
            "holds_gil": each.holds_gil,
            "stack": [
                {"function": frame.function, "file": frame.file, "line": frame.line}
                for frame in each.stack
            ],
        }
        for each in seen.threads
    ]
    return {
        "readable": diagnosis.is_readable,
        "threads": threads,
        "more_threads": seen.more_threads,
        "packages": list(seen.packages),
        "notes": list(seen.notes),
    }


def _headline(diagnosis: Diagnosis) -> str:
    facts = diagnosis.facts
    name = f"Process {facts.pid}" + (f" ({facts.name})" if facts.name else "")
    if diagnosis.method is None:
        return f"{name} cannot be attached"
    version = f", CPython {facts.version[0]}.{facts.version[1]}" if facts.version else ""
    main = f"; its main thread {waits_on(facts.pid)}" if diagnosis.method is Method.REMOTE else ""
    return f"{name}{version} can be attached {_WAYS[diagnosis.method].format(pid=facts.pid)}{main}"


def _print_cause(text: str, weight: Weight, fixes: Sequence[str]) -> None:
    say(f"  {_SIGNS[weight]} {text}")
    for fix in fixes:
        say(f"      → {fix}")


def _value(diagnosis: Diagnosis) -> PlainRow:
    facts = diagnosis.facts
    return {
        "pid": facts.pid,
        "name": facts.name or None,
        "user": facts.user or None,
        "runtime": f"CPython {facts.version[0]}.{facts.version[1]}" if facts.version else None,
        "attachable": diagnosis.is_possible,
        "way": diagnosis.method.value if diagnosis.method else None,
        "fallback": _fallback_value(diagnosis),
        "causes": [_cause_value(each) for each in diagnosis.causes],
    }


def _cause_value(cause: Cause) -> PlainRow:
    return {
        "key": cause.key,
        "weight": cause.weight.value,
        "text": cause.text,
        "fixes": list(cause.fixes),
    }


def _machine(kept: Kept | None) -> tuple[int, PlainRow]:
    checks: list[Check] = []
    for check in run_checks():
        checks.append(check)
        if kept is None:
            weight = Weight.NOTE if check.is_well else check.weight
            _print_check(check, weight)
    is_well = not any(check.weight is Weight.BLOCKS and not check.is_well for check in checks)
    listed = [
        {
            "key": each.key,
            "well": each.is_well,
            "text": each.text,
            "fixes": [] if each.is_well else list(each.fixes),
        }
        for each in checks
    ]
    answer = {"attachable": is_well, "checks": listed}
    if kept is not None:
        print_private_json(answer, None, kept)
    return 0 if is_well else AttachError.exit_status, answer


def _print_check(check: Check, weight: Weight) -> None:
    say(f"{'✓' if check.is_well else _SIGNS[weight]} {check.text}")
    for fix in () if check.is_well else check.fixes:
        say(f"    → {fix}")
