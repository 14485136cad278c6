"""The command line as a whole: what subcommands there are, and how errors end.

Errors are one line on stderr, cause first. Exit status: 0 done, 1 the thing asked for is not so,
2 wrong use, 3 cannot attach, 4 cannot say yet.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.commands.extras import missing_extra
from inspector.commands.group import SubcommandGroup
from inspector.commands.support.output import (
    OutputClosedError,
    abandon_output,
    flush_output,
    prepare_streams,
    print_error,
    say,
)
from inspector.ending import INTERRUPTED_STATUS, EndedBySignalError
from inspector.errors import InspectorError
from inspector.wire.schema import LAYOUT_VERSION

USAGE_STATUS: Final = 2
TRACEBACK_VARIABLE: Final = "ARC_INSPECTOR_TRACEBACK"


def version_line() -> str:
    """``arc-inspector 0.1.0 (segment layout 1)``."""
    from importlib.metadata import PackageNotFoundError, version  # 30 ms, for this line alone

    try:
        number = version("arc-inspector")
    except PackageNotFoundError:
        number = "from a source tree"
    return f"arc-inspector {number} (segment layout {LAYOUT_VERSION})"


def _print_version(wanted: bool) -> None:
    if wanted:
        say(version_line())
        raise typer.Exit


def _start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say each step and its time on stderr.")
    ] = False,
    reset_layout: Annotated[
        bool,
        typer.Option(
            "--reset-layout", help=("Put all panes of the window back to their first places.")
        ),
    ] = False,
) -> None:
    """A desktop inspector for live native objects that another language holds through handles.

    Without a command it opens the window.
    """
    if verbose:
        from inspector.commands.support.steps import say_steps  # loads logging

        say_steps()
    if context.invoked_subcommand is None:
        from inspector.commands.support.window import open_window  # loads numpy and the viewer

        raise typer.Exit(open_window(reset_layout=reset_layout))


def make_app() -> typer.Typer:
    """The command line; the module of a subcommand is imported when the subcommand is used."""
    app = typer.Typer(
        cls=SubcommandGroup,
        add_completion=False,
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback(invoke_without_command=True)(_start)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status.

    Never raises for what a person or a target did wrong.
    """
    prepare_streams()
    try:
        status = make_app()(list(arguments), standalone_mode=False, prog_name="arc-inspector")
        flush_output()
    except OutputClosedError:
        abandon_output()
        return 0
    except SystemExit:  # click's own way to end when the reader of its help has ended
        abandon_output()
        return 0
    except InspectorError as error:
        return _failed(str(error), error.exit_status)
    except EndedBySignalError as ended:
        return ended.exit_status
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED_STATUS
    except ModuleNotFoundError as error:
        if missing_extra(error):
            raise  # the caller names the extra that brings it
        return _unexpected(error)
    except Exception as error:
        # typer's own click has no public name for its exceptions
        usage = getattr(error, "format_message", None)
        return _failed(usage(), USAGE_STATUS) if usage is not None else _unexpected(error)
    return int(status or 0)


def _failed(message: str, status: int) -> int:
    """Say why, after what was printed before; a stdout that takes no more is no second error."""
    try:
        flush_output()
    except (OutputClosedError, InspectorError):
        abandon_output()
    print_error(message)
    return status


def _unexpected(error: Exception) -> int:
    """A fault of ours, or of the machine: one line with its place.

    The whole stack where ``ARC_INSPECTOR_TRACEBACK`` is set.
    """
    if os.environ.get(TRACEBACK_VARIABLE):
        raise error
    if isinstance(error, OSError):
        about = f": {error.filename}" if error.filename else ""
        return _failed(f"{error.strerror or error}{about}", InspectorError.exit_status)
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return _failed(
        (
            f"a fault of the inspector, please report it: {type(error).__name__} at {where}: "
            f"{error} "
            f"({TRACEBACK_VARIABLE}=1 shows the stack)"
        ),
        InspectorError.exit_status,
    )
