"""Opening the window from a command, and saying what to do where there is no display."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

from inspector.ending import status_of
from inspector.errors import AttachError
from inspector.session.protocol import Session
from inspector.ui.session.connector import Connector


def has_display() -> bool:
    """Whether a window can be seen, or the person chose Qt's platform."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


WITHOUT_WINDOW: Final = "arc-inspector top PID is the live view in a terminal"


def require_display(instead: str = WITHOUT_WINDOW) -> None:
    """Raise ``AttachError`` where no window can be seen; ``instead`` works there."""
    if not has_display():
        raise AttachError(f"there is no display for the window; {instead}")


def open_window(
    *,
    initial: Callable[[Connector], Session] | None = None,
    initial_name: str = "the target",
    reset_layout: bool = False,
    demo: bool = False,
    passed_on: Callable[[int], bool] = lambda _number: False,
) -> int:
    """Show the window until it is closed; the exit status tells the signal that closed the window.

    ``initial`` opens the first session, or it is the ``demo`` with its tour.
    ``passed_on`` takes signals for other processes, see ``run_window``.
    """
    require_display()
    from inspector.commands.support.connector import LocalConnector
    from inspector.ui.shell.app import run_window

    ended_by: list[int] = []

    def take(number: int) -> bool:
        if passed_on(number):
            return True
        ended_by.append(number)
        return False

    status = run_window(
        LocalConnector(),
        initial=initial,
        initial_name=initial_name,
        reset_layout=reset_layout,
        demo=demo,
        passed_on=take,
    )
    return status_of(ended_by[0]) if ended_by else status
