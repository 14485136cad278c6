"""``arc-inspector attach PID``: the window, attached."""

from __future__ import annotations

from typing import Annotated

import typer

from inspector.attach.discovery import find_target
from inspector.commands.window import open_window, require_display


def attach(pid: Annotated[int, typer.Argument(help="Process id.")]) -> None:
    """Open the window on a process."""
    found = find_target(pid)
    require_display()
    raise typer.Exit(open_window(initial=lambda connector: connector.attach(pid), initial_name=f"{found.name} ({pid})"))
