"""``arc-inspector top PID|FILE``: a live view in the terminal, also over ssh."""

from __future__ import annotations

import sys

from inspector.commands.support.opening import ReadOnly, Running, say_notices
from inspector.commands.support.sources import Source, opened_source
from inspector.errors import InspectorError
from inspector.vocabulary import Level

NEEDED = "textual"


def top(source: Source, read_only: ReadOnly = False) -> None:
    """Show types by change, pending closes and findings in the terminal; q ends it."""
    view = require_view()
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise InspectorError(
            "top draws on a terminal; these print lines: handles, pending, findings, threads"
        )
    with opened_source(source, level=Level.HISTORY, read_only=read_only) as (session, _):
        if isinstance(session, Running):
            say_notices(session)
        view(lambda: session.latest).run()


def require_view() -> type:
    """The class of the view. Raises ``InspectorError`` where Textual is not installed."""
    try:
        from inspector.commands.support.top_view import TopView  # loads Textual
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != NEEDED:
            raise
        raise InspectorError(
            "top needs the package textual: pip install 'arc-inspector[terminal]'"
        ) from error
    return TopView
