"""A query of the pane with its newest answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.sql.engine import SqlAnswer
from inspector.plain_text import one_line
from inspector.ui.panes.sql.answer_model import NOTHING

TITLE_CHARS: Final = 24


@dataclass(slots=True)
class View:
    """The first view is the person's own query, the others are pinned. GUI thread."""

    sql: str
    answer: SqlAnswer = NOTHING
    note: str = ""
    took_secs: float = 0.0
    ran_at: float = 0.0
    """Monotonic seconds; 0: it was not asked."""


def title_of(sql: str) -> str:
    """A short name of a query: its beginning."""
    text = one_line(sql)
    return text if len(text) <= TITLE_CHARS else f"{text[: TITLE_CHARS - 1]}…"
