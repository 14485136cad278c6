"""``arc-inspector open FILE``: a screenshot, a session file, or a dead process's segment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from inspector.commands.handles import DEFAULT_LIMIT, print_handles
from inspector.commands.support.files import open_saved
from inspector.commands.support.opening import SETTLE_SECS, Watch
from inspector.commands.support.redacting import keeps_parts, print_redacted
from inspector.commands.support.rows import snapshot_value
from inspector.commands.support.window import has_display, open_window
from inspector.model.grouping import Query, arrange
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot


@keeps_parts
def open_file(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help=("A screenshot, a session file, or a segment."))
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help=("Print one JSON object instead of opening the window."))
    ] = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Open a screenshot, a session file, or a dead process's segment.

    Without a display print it as a table.
    """
    snapshot = _snapshot_in(path)
    arranged = arrange(snapshot, Query(tombstones=False, moment_secs=0.0))
    if as_json:
        rows = np.sort(arranged.order).tolist()
        print_redacted(snapshot, kept, lambda shown: snapshot_value(shown, rows))
    elif has_display():
        raise typer.Exit(
            open_window(initial=lambda connector: connector.open_file(path), initial_name=path.name)
        )
    else:
        print_handles(snapshot, arranged, DEFAULT_LIMIT)


def _snapshot_in(path: Path) -> Snapshot:
    """The file's state; opening it also tells what is wrong with it before any window shows."""
    session = open_saved(path)
    try:
        watch = Watch(session)
        return watch.wait(lambda _: True, SETTLE_SECS)
    finally:
        session.end()
