"""``arc-inspector attach PID``: the window, attached; brings the agent in where there is none."""

from __future__ import annotations

from typing import Annotated

import typer

from inspector.attach.inject import LEAVES_AFTER_SECS
from inspector.commands.support.opening import ReadOnly, session_with
from inspector.commands.support.output import say
from inspector.commands.support.preparing import (
    Consent,
    Prepared,
    ask_on_terminal,
    ensure_possible,
    prepare,
)
from inspector.commands.support.redacting import keeps_parts, print_private_json
from inspector.commands.support.window import open_window, require_display
from inspector.errors import UsageError
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.session.outside import require_readable
from inspector.vocabulary import Level


@keeps_parts
def attach(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    inject: Annotated[
        bool,
        typer.Option(
            "--inject",
            help=("Allow borrowing a thread of a process without an agent, to load the agent."),
        ),
    ] = False,
    nudge: Annotated[
        bool,
        typer.Option(
            "--nudge", help=("Allow ending one wait of the main thread with EINTR (CPython 3.14).")
        ),
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help=("A loaded agent stays until arc-inspector detach."))
    ] = False,
    read_only: ReadOnly = False,
    headless: Annotated[
        bool,
        typer.Option("--headless", help=("Only make sure that the agent runs; open no window.")),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help=("With --headless: print one JSON object."))
    ] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Open the window on a process.

    An agent that the command loads leaves with the window, unless it is kept.
    """
    if read_only:
        raise typer.Exit(_look(pid, inject=inject, headless=headless))
    ensure_possible(pid)
    if not headless:
        consent = " --inject" if inject else ""
        require_display(
            f"to load the agent alone, for commands that print: "
            f"arc-inspector attach {pid}{consent} --headless"
        )
    prepared = prepare(pid, Consent(inject=inject, nudge=nudge, keep=keep), ask=ask_on_terminal)
    if headless:
        _report(pid, prepared, kept if as_json else None, keep=keep)
        return
    found, brought = prepared.found, prepared.injection is not None and not keep
    session = lambda _connector: session_with(found, level=Level.HISTORY, brought=brought)  # noqa: E731 - a name for the line
    raise typer.Exit(open_window(initial=session, initial_name=f"{found.name} ({pid})"))


def _look(pid: int, *, inject: bool, headless: bool) -> int:
    """Open the window on a process that is looked at from outside."""
    if inject or headless:
        raise UsageError(
            "--read-only loads no agent; without a window: arc-inspector handles PID --read-only"
        )
    require_readable(pid)
    require_display(f"what prints: arc-inspector handles {pid} --read-only")
    return open_window(
        initial=lambda connector: connector.look(pid), initial_name=f"process {pid} from outside"
    )


def _report(pid: int, prepared: Prepared, kept: Kept | None, *, keep: bool) -> None:
    """For people, or with ``kept`` as JSON."""
    injection, found = prepared.injection, prepared.found
    if kept is not None:
        paused_secs = injection.paused_secs if injection else 0.0
        value = {
            "pid": pid,
            "segment": str(found.segment),
            "way": prepared.method.value,
            "brought": injection is not None,
            "paused_secs": paused_secs,
            "interrupted_waits": injection.interrupted if injection else 0,
            "leaves_after_secs": None if injection is None or keep else LEAVES_AFTER_SECS,
        }
        print_private_json(value, pid, kept, whole=("segment",))
    elif injection is None:
        say(f"The agent runs in {found.name} ({pid}) already")
    else:
        held = (
            f"; one thread was held for {injection.paused_secs * 1e3:.1f} ms"
            if injection.paused_secs
            else ""
        )
        ended = (
            f"; {injection.interrupted} of its waits ended with EINTR"
            if injection.interrupted
            else ""
        )
        stays = (
            "stays until arc-inspector detach"
            if keep
            else f"leaves {LEAVES_AFTER_SECS / 60:.0f} minutes after it was last asked"
        )
        say(f"The agent runs in {found.name} ({pid}) now, and {stays}{held}{ended}")
