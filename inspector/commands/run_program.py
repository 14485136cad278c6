"""``arc-inspector run [-m] TARGET [ARGS…]``: start a program under the agent and inspect it.

The program keeps our terminal, gets the signals that we get, and its exit status is ours.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.attach.preload import preload_environment
from inspector.commands.support.child import PATIENCE_SECS, Child, exit_status
from inspector.commands.support.live_line import LiveLine
from inspector.commands.support.opening import Watch, session_with
from inspector.commands.support.output import print_error
from inspector.commands.support.python_command import (
    OtherProgramError,
    PythonCommand,
    parse_command,
)
from inspector.commands.support.window import open_window, require_display
from inspector.ending import EndedBySignalError
from inspector.errors import AttachError, UsageError
from inspector.session.protocol import Session
from inspector.systems import known_signals
from inspector.vocabulary import Level
from inspector.wire.environment import EXIT_REPORT_JSON_VARIABLE, EXIT_REPORT_VARIABLE

ATTACH_SECS: Final = 5.0
"""How long the program waits for us to be registered as its viewer."""
ENDING: Final = known_signals("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
"""For the program while it runs, and for us when it has ended."""
FORWARDED: Final = known_signals("SIGUSR1", "SIGUSR2")


def run_program(
    context: typer.Context,
    module: Annotated[bool, typer.Option("-m", help="The target is a module.")] = False,
    headless: Annotated[
        bool,
        typer.Option("--headless", help=("No window: a line on stderr, and a summary at the end.")),
    ] = False,
    level: Annotated[
        str, typer.Option("--level", help="off, count, history or stacks.")
    ] = "stacks",
    python: Annotated[
        str,
        typer.Option("--python", help=("Another interpreter that has arc-inspector installed.")),
    ] = sys.executable,
    exit_report: Annotated[
        bool,
        typer.Option(
            "--exit-report",
            help=("List on stderr the handles that are alive when the program ends."),
        ),
    ] = False,
    exit_report_json: Annotated[
        str, typer.Option("--exit-report-json", metavar="FILE", help="Write that list as JSON.")
    ] = "",
) -> None:
    """Start a program under the agent and inspect it.

    A Python program, or a program of another language that uses a library of UniFFI's.

    Usage: run [OPTIONS] [-m] TARGET [ARGS…], or run [OPTIONS] COMMAND….
    """
    if not context.args:
        raise UsageError("nothing to run: arc-inspector run [-m] TARGET [ARGS…]")
    wanted = parse_level(level)
    if not headless:
        require_display("to run it without: --headless")
    try:
        command = (
            PythonCommand(python, (), ("-m", context.args[0]), tuple(context.args[1:]))
            if module
            else parse_command(context.args, python)
        )
    except OtherProgramError as error:
        if exit_report or exit_report_json:
            raise UsageError(f"the agent of Python writes the report at the end: {error}") from None
        child = _start_other(context.args, wanted)
    else:
        words = command.under("inspector.agent.launch", "--level", wanted.name.lower())
        child = Child(words, waits=True, more=exit_variables(exit_report, exit_report_json))
    with forwarded_signals(child):
        try:
            _inspect(child, wanted, headless=headless)
        except AttachError as error:
            print_error(str(error))
        finally:
            child.release()
        raise typer.Exit(exit_status(child.process.wait()))


def _start_other(words: list[str], level: Level) -> Child:
    """A program of another language than Python."""
    more = preload_environment(os.environ, level)
    return Child(words, waits=True, more=more, is_python=False)


def exit_variables(is_wanted: bool, file: str) -> dict[str, str]:
    """The agent's orders for the end of the program."""
    variables = {EXIT_REPORT_VARIABLE: "1"} if is_wanted else {}
    return variables | ({EXIT_REPORT_JSON_VARIABLE: str(Path(file).absolute())} if file else {})


def parse_level(text: str) -> Level:
    """A level by its name. Raises ``UsageError``."""
    try:
        return Level[text.upper()]
    except KeyError:
        raise UsageError(
            f"no such level, there are off, count, history and stacks: {text}"
        ) from None


@contextmanager
def forwarded_signals(child: Child) -> Iterator[None]:
    """Pass signals on to the program while it runs.

    Afterwards those that end a command end this one.
    """

    def forward(number: int, _frame: object) -> None:
        if not forwarded(child, number) and number in ENDING:
            raise EndedBySignalError(number)

    before = {number: signal.signal(number, forward) for number in (*ENDING, *FORWARDED)}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError):  # a handler that was not set from Python
                signal.signal(number, handler)


def forwarded(child: Child, number: int) -> bool:
    """Whether a signal was for the program, which got it.

    Ctrl-C at a terminal reaches it without us, so we only keep out of its way.
    """
    if child.process.poll() is not None:
        return False
    if number != signal.SIGINT or not os.isatty(0):
        child.process.send_signal(number)
    return True


def _inspect(child: Child, level: Level, *, headless: bool) -> None:
    """Look at the program until it ends (headless) or the window is closed."""
    if headless:
        _follow(_attach(child, level), child)
    else:
        open_window(
            initial=lambda _connector: _attach(child, level),
            initial_name="the program",
            passed_on=lambda number: forwarded(child, number),
        )


def _attach(child: Child, level: Level) -> Session:
    """A session that sees the program from its first line on."""
    patience = PATIENCE_SECS if child.is_python else math.inf
    session = session_with(child.wait_published(patience), level=level)
    Watch(session).wait(lambda _: session.capabilities.act, ATTACH_SECS)
    child.release()
    return session


def _follow(session: Session, child: Child) -> None:
    line = LiveLine(sys.stderr)
    leave = session.subscribe(line)
    watcher = threading.Thread(target=line.wait_over, name="last state", daemon=True)
    watcher.start()
    child.process.wait()
    watcher.join(timeout=2.0)
    leave()
    session.end()
    line.summarise(session.latest)
