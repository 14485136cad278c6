"""Back and forward as in a browser: the filter and the handle looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.caps import PLACES, Use

LIMIT: Final = PLACES.most


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the window."""

    filter: str = ""
    handle: int | None = None


class Navigation:
    """Places visited, and the present place among them."""

    def __init__(self) -> None:
        """At the place where everything is shown."""
        self._places = [Place()]
        self._at = self._left_out = 0

    def uses(self) -> tuple[Use, ...]:
        """The amounts that are kept."""
        return (Use(PLACES, len(self._places), self._left_out),)

    @property
    def here(self) -> Place:
        """The present place."""
        return self._places[self._at]

    def visit(self, place: Place) -> None:
        """Move to a new place; the places ahead are forgotten."""
        if place == self.here:
            return
        del self._places[self._at + 1 :]
        self._places.append(place)
        self._left_out += max(len(self._places) - LIMIT, 0)
        del self._places[:-LIMIT]
        self._at = len(self._places) - 1

    def back(self) -> Place | None:
        """The place before; ``None`` at the first."""
        if self._at == 0:
            return None
        self._at -= 1
        return self.here

    def forward(self) -> Place | None:
        """The place after; ``None`` at the last."""
        if self._at == len(self._places) - 1:
            return None
        self._at += 1
        return self.here
