"""Queries that are pinned as views, kept by the settings for every later session. GUI thread.

A change is made to the list as it is stored now, so that windows do not undo each other's.
"""

from __future__ import annotations

import json
from typing import Final

from PySide6.QtCore import QSettings

_KEY: Final = "pinned_queries"
MOST_PINNED: Final = 8
LONGEST: Final = 20_000
"""Characters of a query that is kept."""


class PinnedQueries:
    """The texts of the queries, in the order of their tabs."""

    def __init__(self, settings: QSettings) -> None:
        """``settings`` keep the queries."""
        self._settings = settings

    def texts(self) -> list[str]:
        """All of them; a damaged entry is no query."""
        self._settings.sync()
        try:
            stored = json.loads(str(self._settings.value(_KEY, "[]")))
        except ValueError:
            return []
        if not isinstance(stored, list):
            return []
        texts = [each for each in stored if isinstance(each, str) and 0 < len(each) <= LONGEST]
        return list(dict.fromkeys(texts))[:MOST_PINNED]

    def add(self, sql: str) -> None:
        """Keep one more."""
        self._save([*self.texts(), sql])

    def remove(self, sql: str) -> None:
        """Keep it no more."""
        self._save([each for each in self.texts() if each != sql])

    def replace(self, sql: str, other: str) -> None:
        """Keep another text in its place."""
        self._save([other if each == sql else each for each in self.texts()])

    def _save(self, texts: list[str]) -> None:
        self._settings.setValue(_KEY, json.dumps(texts))
        self._settings.sync()
