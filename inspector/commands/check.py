"""``arc-inspector check -- COMMAND…``: run a program, and fail when native handles leak.

The program may be a test suite.

A program is judged by what is alive at its end, after a collection. A run of pytest is judged test
by test, by our plugin in it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.app import version_line
from inspector.commands.run_program import forwarded_signals
from inspector.commands.support.agreeing import configured_path
from inspector.commands.support.check_files import (
    append_summary,
    require_report,
    sarif_text,
    write_over,
)
from inspector.commands.support.check_report import Verdict, junit_text, read_verdict
from inspector.commands.support.child import Child, exit_status
from inspector.commands.support.output import print_error, say_aside
from inspector.commands.support.python_command import PythonCommand, parse_command
from inspector.ending import INTERRUPTED_STATUS
from inspector.errors import UsageError
from inspector.leaks.allow import read_allow_list
from inspector.model.redaction import Redactor
from inspector.session.private_facts import private_facts
from inspector.wire.environment import ADAPTERS_VARIABLE

PLUGIN = "_arc_inspector.leaks.plugin"


def check(
    context: typer.Context,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow", metavar="TYPE[@SITE]=REASON", help="Not a leak; may be given several times."
        ),
    ] = None,
    json_file: Annotated[
        str,
        typer.Option(
            "--json", metavar="FILE", help=("Write the findings as JSON, over an older report.")
        ),
    ] = "",
    junit_file: Annotated[
        str,
        typer.Option(
            "--junit",
            metavar="FILE",
            help=("Write the findings as JUnit's XML, over an older report."),
        ),
    ] = "",
    sarif_file: Annotated[
        str,
        typer.Option(
            "--sarif",
            metavar="FILE",
            help=("Write the findings as SARIF, for code scanning, over an older report."),
        ),
    ] = "",
    force: Annotated[
        bool,
        typer.Option("--force", help="Write a report over a file that is no older report."),
    ] = False,
    python: Annotated[
        str, typer.Option("--python", help=("The interpreter for a script that names none."))
    ] = sys.executable,
) -> None:
    """Run a Python program or test suite and fail when native handles leak.

    Usage: check [OPTIONS] -- COMMAND…. In a job of GitHub Actions the verdict is appended to the
    summary of the job. Private parts are left out of the reports.
    """
    if not context.args:
        raise UsageError("nothing to run: arc-inspector check [OPTIONS] -- COMMAND…")
    command = parse_command(context.args, python)
    words = allow or []
    # before the program runs, so that a fault in it is said at once
    allowed = read_allow_list(Path.cwd(), words)
    wanted = ((json_file, "json"), (junit_file, "junit"), (sarif_file, "sarif"))
    for path in filter(None, (json_file, junit_file, sarif_file)):
        require_report(Path(path), force=force)
    with tempfile.TemporaryDirectory(prefix="arc-check-") as folder:
        file = Path(folder) / "leaks.json"
        status = _run(command, file, words)
        verdict = read_verdict(file, allowed, status, is_pytest=command.is_pytest)
    _write(verdict, wanted, " ".join(context.args))
    _say(verdict)
    raise typer.Exit(INTERRUPTED_STATUS if status == INTERRUPTED_STATUS else verdict.exit_status)


def _write(verdict: Verdict, wanted: Sequence[tuple[str, str]], name: str) -> None:
    """Write the reports that were asked for, without private parts. Raises ``UsageError``."""
    private = private_facts()
    redactor = Redactor(replace(private, projects=private.projects | {str(Path.cwd())}))
    shown = redactor.of(verdict)
    texts: dict[str, Callable[[], str]] = {
        "json": shown.json_text,
        "junit": lambda: junit_text(shown, redactor.text(name)),
        "sarif": lambda: sarif_text(shown, version_line()),
    }
    for file, key in wanted:
        if file:
            try:
                write_over(Path(file), texts[key]())
            except OSError as error:
                raise UsageError(f"{error.strerror or error}: {file}") from error
    append_summary(shown)


def _run(command: PythonCommand, file: Path, allow: list[str]) -> int:
    """Run the program to its end; its exit status as a shell has it."""
    if command.is_pytest:
        allowed = [f"--arc-leaks-allow={word}" for word in allow]
        more = ["-p", PLUGIN, "--arc-leaks", f"--arc-leaks-json={file}", *allowed]
        words = command.under("inspector.agent.launch", "--level", "stacks", more=more)
    else:
        words = command.under("inspector.leaks.launch", str(file))
    child = Child(words, more=_declared())
    with forwarded_signals(child):
        return exit_status(child.process.wait())


def _declared() -> dict[str, str]:
    """The declarations of this person's configuration.

    They follow the declarations that the environment names already.
    """
    path = configured_path()
    named = os.environ.get(ADAPTERS_VARIABLE, "")
    return (
        {ADAPTERS_VARIABLE: os.pathsep.join(filter(None, (named, str(path))))}
        if path.exists()
        else {}
    )


def _say(verdict: Verdict) -> None:
    """For people, on stderr: the program's own output is on stdout."""
    for line in verdict.text().splitlines():
        say_aside(line)
    if verdict.trouble:
        print_error(verdict.trouble)
