"""The colour of each type, kept for good. GUI thread.

A type that was seen once keeps its colour in every later session: the settings hold the place of
its colour by its name. A new type takes the place that the fewest types have.
"""

from __future__ import annotations

import json
from typing import Final

from PySide6.QtCore import QSettings
from PySide6.QtGui import QColor

from inspector.ui.kit.theme import LIGHT, Theme

_KEY: Final = "type_colors"
MOST_NAMES: Final = 2_000
"""Names that are remembered; the oldest are forgotten first."""
PLACES: Final = len(LIGHT.categories)


class TypeColors:
    """Places in ``Theme.categories`` by the name of a type."""

    def __init__(self, settings: QSettings | None = None) -> None:
        """``settings`` keep the places; without them they last as long as this object."""
        self._settings = settings
        self._places = _read(settings)
        self._shown: dict[str, None] = {}

    def color(self, name: str, theme: Theme) -> QColor:
        """The colour of a type in a theme."""
        return QColor(theme.categories[self.place(name) % len(theme.categories)])

    def place(self, name: str) -> int:
        """The place of its colour; a new type takes a colour that no shown type has."""
        self._shown.setdefault(name)
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = self._free()
            self._save()
        return found

    def names(self) -> list[str]:
        """The types that have a colour, in the order of the alphabet."""
        return sorted(self._places, key=str.casefold)

    def choose(self, name: str, place: int) -> None:
        """A person's choice for a type."""
        self._places[name] = place % PLACES
        self._save()

    def forget(self) -> None:
        """All types take colours anew."""
        self._places.clear()
        self._save()

    def begin_session(self) -> None:
        """Another target: its types are told apart from each other."""
        self._shown.clear()

    def _free(self) -> int:
        used = [0] * PLACES
        for name in self._shown:
            if name in self._places:
                used[self._places[name] % PLACES] += 1
        return used.index(min(used))

    def _save(self) -> None:
        while len(self._places) > MOST_NAMES:
            del self._places[next(iter(self._places))]
        if self._settings is not None:
            self._settings.setValue(_KEY, json.dumps(self._places))


def _read(settings: QSettings | None) -> dict[str, int]:
    """Places of the settings; a damaged entry is no place."""
    try:
        stored = json.loads(str(settings.value(_KEY, "{}"))) if settings is not None else {}
    except ValueError:
        return {}
    if not isinstance(stored, dict):
        return {}
    return {
        str(name): place % PLACES
        for name, place in stored.items()
        if isinstance(place, int) and not isinstance(place, bool)
    }
