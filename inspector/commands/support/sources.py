"""A process or a file, by one word of the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.support.files import open_saved
from inspector.commands.support.opening import (
    SETTLE_SECS,
    Running,
    Watch,
    is_pid,
    settled_session,
)
from inspector.commands.support.steps import STEPS
from inspector.errors import UsageError
from inspector.model.snapshot import Snapshot
from inspector.session.protocol import Session
from inspector.vocabulary import Level

Source = Annotated[
    str,
    typer.Argument(
        metavar="PID|FILE", help=("A process id, a session file, a screenshot, or a segment.")
    ),
]
"""The argument of every command that reads."""


@contextmanager
def opened_source(
    source: str, *, level: Level | None = None, read_only: bool = False
) -> Iterator[tuple[Session, Snapshot]]:
    """A session with a process or over a file, and its newest snapshot; it is ended afterwards.

    Raises ``InspectorError``.
    """
    if is_pid(source):
        with settled_session(int(source), level=level, read_only=read_only) as opened:
            yield opened
        return
    if read_only:
        raise UsageError(f"--read-only looks at a process, and this is no process id: {source}")
    STEPS.info("opening the file %s", source)
    session = open_saved(existing(source))
    try:
        watch = Watch(session)
        try:
            yield session, watch.wait(lambda _: True, SETTLE_SECS)
        finally:
            watch.leave()
    finally:
        session.end()
        if isinstance(session, Running):
            session.join()


def existing(source: str) -> Path:
    """The file that a word names. Raises ``UsageError`` where there is none."""
    path = Path(source)
    try:
        path.lstat()
    except FileNotFoundError:
        raise UsageError(f"neither a process id nor a file: {source}") from None
    except (OSError, ValueError):
        return path  # opening it says why
    return path
