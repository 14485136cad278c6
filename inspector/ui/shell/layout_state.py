"""The places of the panes as text, kept from one start to the next."""

from __future__ import annotations

import json
from dataclasses import dataclass

from inspector.ui.shell.pane_list import LAYOUT_VERSION


@dataclass(frozen=True, slots=True)
class LayoutState:
    """The arrangement that a person made."""

    drawer: str
    """Key of the open pane; ``""``: the drawer is closed."""
    heights: tuple[int, ...]
    """Pixels of the panes above, and of the drawer."""
    side: int
    """Width of the pane at the right; 0: as the design says."""
    is_folded: bool
    """The timeline is folded."""
    columns: bytes
    """Qt's state of the columns; empty: as the design says."""

    def text(self) -> str:
        """For the settings."""
        return json.dumps(
            {
                "version": LAYOUT_VERSION,
                "drawer": self.drawer,
                "heights": self.heights,
                "side": self.side,
                "folded": self.is_folded,
                "columns": self.columns.hex(),
            }
        )


def read_layout(text: str) -> LayoutState | None:
    """The layout of the settings; ``None`` for a damaged one or one of another version."""
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("version") != LAYOUT_VERSION:
            return None
        return LayoutState(
            str(found["drawer"]),
            tuple(int(each) for each in found["heights"]),
            int(found["side"]),
            bool(found["folded"]),
            bytes.fromhex(str(found["columns"])),
        )
    except (ValueError, TypeError, KeyError):
        return None
