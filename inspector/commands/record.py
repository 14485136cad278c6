"""``arc-inspector record PID -o FILE``: a session file."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.support.opening import ReadOnly, Running, open_session
from inspector.commands.support.options import Force, parse_span, require_absent
from inspector.commands.support.output import say
from inspector.commands.support.redacting import Preview, keeps_parts, preview_of
from inspector.commands.support.ring_recording import RingRecording, checked_rules
from inspector.errors import ControlError, UsageError
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import FINAL_STATES, Snapshot, Vitals
from inspector.model.wording import plural, size
from inspector.session.recorder import Recorded, SessionRecorder
from inspector.vocabulary import Level


@keeps_parts
def record(
    pid: Annotated[int, typer.Argument(help="Process id.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where the session goes.")
    ],
    span: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="SPAN",
            help=("How long; without it until the process ends, or Ctrl+C."),
        ),
    ] = "",
    every: Annotated[
        str, typer.Option("--every", metavar="SPAN", help=("From one snapshot to the next."))
    ] = "500ms",
    level: Annotated[
        str,
        typer.Option("--level", help=("Level of the process meanwhile: count, history or stacks.")),
    ] = "history",
    ring: Annotated[
        str,
        typer.Option(
            "--ring",
            metavar="SPAN",
            help="Keep the last minutes in memory, and write them when a rule finds a suspect.",
        ),
    ] = "",
    when: Annotated[
        list[str] | None,
        typer.Option(
            "--when", metavar="FINDING", help="With --ring: only for this rule; may be repeated."
        ),
    ] = None,
    force: Force = False,
    read_only: ReadOnly = False,
    preview: Preview = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Record a process into a session file, which `open` replays and `diff` compares.

    Private parts are left out. With --ring a file is also written at SIGUSR1, at Ctrl+C, and when
    the process is killed.
    """
    watch_secs = parse_span(span) if span else None
    every_secs = parse_span(every)
    if level not in ("count", "history", "stacks"):
        raise UsageError(f"a level is count, history or stacks: {level}")
    keep_secs = parse_span(ring) if ring else None
    rules = checked_rules(when or [])
    if keep_secs is None and when:
        raise UsageError("--when goes with --ring")
    if keep_secs is not None and force:
        raise UsageError("--ring replaces no file: each file gets a name of its own")
    if keep_secs is None:
        require_absent(output, force=force)
    elif not output.parent.is_dir():
        raise UsageError(f"there is no such folder: {output.parent}")
    if preview:
        preview_of(str(pid), kept, read_only=read_only)
        return
    session = open_session(pid, level=Level[level.upper()], read_only=read_only)
    if keep_secs is not None:
        try:
            RingRecording(running(session), output, keep_secs, every_secs, kept).run(
                rules, watch_secs
            )
        finally:
            session.end()
        return
    try:
        recorded = _record(session, output, watch_secs, every_secs, may_replace=force, kept=kept)
    finally:
        session.end()
    if recorded.failure:
        raise ControlError(f"{recorded.failure}: {output}")
    left_out = f", {recorded.left_out:,} left out" if recorded.left_out else ""
    say(
        f"saved {plural(recorded.snapshots, 'snapshot')}{left_out} in "
        f"{size(recorded.size_bytes)} to {output}"
        f"{f'; {recorded.left_out_parts}' if recorded.left_out_parts else ''}"
    )


def running(session: object) -> Running:
    """The session of a process that runs. Raises ``ControlError`` for any other."""
    if not isinstance(session, Running):
        raise ControlError(
            "the process is gone: there is nothing to record any more, `open` shows its last state"
        )
    return session


class _End:
    """Hears when there is nothing more to come; pump thread."""

    def __init__(self) -> None:
        self.reached = threading.Event()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.target.state in FINAL_STATES:
            self.reached.set()

    def on_vitals(self, vitals: Vitals) -> None:
        """Not used."""


def _record(
    session: object,
    output: Path,
    watch_secs: float | None,
    every_secs: float,
    *,
    may_replace: bool,
    kept: Kept,
) -> Recorded:
    session = running(session)
    session.set_interval(snapshot_secs=every_secs, vitals_secs=0.05)
    end = _End()
    session.subscribe(end)
    recorder = SessionRecorder(
        session, output, every_secs=every_secs, may_replace=may_replace, kept=kept
    )
    try:
        end.reached.wait(watch_secs)
    except KeyboardInterrupt:
        return recorder.stop()
    return recorder.stop()
