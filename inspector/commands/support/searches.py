"""A search in a target with its progress on the terminal; Ctrl+C gives it up."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from typing import Final, TypeVar

from inspector.commands.support.output import draw_aside
from inspector.commands.support.steps import STEPS
from inspector.errors import TargetBusyError
from inspector.model.holders import SearchProgress
from inspector.session.searching import SEARCH_SECS, Search

Found = TypeVar("Found")
_MORE_SECS: Final = 5.0
"""After its own limit a search ends in the target; its answer may take so long."""


def searched(ask: Callable[[Search], Future[Found]], what: str) -> Found:
    """Wait for the answer of a search. Raises ``ControlError`` of the question.

    ``what`` names it for the person. A search that takes too long is given up.
    """
    STEPS.info("looking for %s in the target", what)
    line = _ProgressLine(what)
    search = Search(line.show)
    try:
        return ask(search).result(SEARCH_SECS + _MORE_SECS)
    except NotInTime:
        search.give_up()
        raise TargetBusyError(f"the search for {what} took too long and was given up") from None
    except KeyboardInterrupt:
        search.give_up()
        raise
    finally:
        line.clear()


class _ProgressLine:
    """One line on stderr, if it is a terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()

    def show(self, progress: SearchProgress) -> None:
        """Any thread."""
        took_secs = time.monotonic() - self._began
        draw_aside(
            f"looking for {self._what}: {progress.looked_at:,} objects, "
            f"{progress.found:,} found, {took_secs:.0f} s"
        )

    def clear(self) -> None:
        """Leave nothing of it."""
        draw_aside("")
