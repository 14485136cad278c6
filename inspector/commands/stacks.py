"""``arc-inspector stacks PID|FILE``: the Python stack of every thread, read from outside."""

from __future__ import annotations

from typing import Annotated

import typer

from inspector.commands.support.opening import ReadOnly, is_pid
from inspector.commands.support.output import say
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import PlainRow, about_value, frame_shape
from inspector.commands.support.shapes import ThreadStackShape
from inspector.commands.support.sources import Source, opened_source
from inspector.model.exports.headlines import headline
from inspector.model.fields import to_plain
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.stacks import Frame, ThreadStack
from inspector.session.thread_looks import with_stacks


@keeps_parts
def stacks(
    source: Source,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    read_only: ReadOnly = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Print the Python stack of every thread; the process is read, not stopped.

    A file has the stacks of a process that hung or was looked at from outside.
    """
    more = 0
    with opened_source(source, read_only=read_only) as (_, snapshot):
        if is_pid(source) and snapshot.target.state in (TargetState.LIVE, TargetState.HUNG):
            snapshot, more = with_stacks(snapshot)
    if as_json:
        print_redacted(snapshot, kept, stacks_value, more)
    else:
        _print(snapshot, more)


def stacks_value(snapshot: Snapshot, more: int) -> PlainRow:
    """The object that ``--json`` prints; ``more`` threads are not listed."""
    rows = [to_plain(_shape(each)) for each in snapshot.stacks]
    return about_value(snapshot) | {"threads": rows, "more_threads": more}


def _shape(stack: ThreadStack) -> ThreadStackShape:
    return ThreadStackShape(
        tid=stack.tid,
        name=stack.name or None,
        doing=stack.doing,
        holds_gil=stack.holds_gil,
        frames=tuple(map(frame_shape, stack.frames)),
    )


def _print(snapshot: Snapshot, more: int) -> None:
    say(headline(snapshot))
    for stack in sorted(snapshot.stacks, key=lambda each: not each.holds_gil):
        lock = ", holds the interpreter's lock" if stack.holds_gil else ""
        say()
        say(f"{stack.name or 'thread'} ({stack.tid}) {stack.doing}{lock}")
        for frame in stack.frames:
            say(f"    {_line(frame)}")
        if not stack.frames:
            say("    no Python stack")
    if not snapshot.stacks:
        say("No stacks are known: they are read from a process that runs.")
    if more:
        say(f"and {more:,} more threads")
    for note in snapshot.notes:
        say(f"Note: {note}")


def _line(frame: Frame) -> str:
    """``add  /srv/app/app.py:41``."""
    return f"{frame.function}  {frame.file}:{frame.line}" if frame.line else frame.function
