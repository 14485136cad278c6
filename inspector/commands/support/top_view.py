"""The view of ``arc-inspector top`` in a terminal, drawn by Textual.

Imported only by that command: Textual is an optional package. Everything runs on the event loop of
the app but for ``TopHistory``, which computes the tables on a worker thread, one at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

from inspector.commands.support.tables import GAP, Column, fitted_widths
from inspector.commands.support.top_rows import (
    FINDING_TITLES,
    PENDING_TITLES,
    TYPE_TITLES,
    Cells,
    TopHistory,
    TopRows,
)
from inspector.model.snapshot import Snapshot
from inspector.plain_text import printable

LOOK_SECS: Final = 1.0
_SCROLLBAR: Final = 2
_NUMBERS: Final = frozenset({"Live", "Change", "Born/s", "Died/s", "Pending", "Age"})
_TABLES: Final = (
    ("types", "Types by change", TYPE_TITLES),
    ("pending", "Pending closes", PENDING_TITLES),
    ("findings", "Findings", FINDING_TITLES),
)


class TopView(App[None]):
    """Three tables that follow a session."""

    CSS = """
    #headline { height: auto; padding: 0 1; background: $panel; }
    TabbedContent { height: 1fr; }
    ContentSwitcher, TabPane { height: 1fr; padding: 0; }
    DataTable { height: 1fr; }
    """
    TITLE = "arc-inspector"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("p", "pause", "Pause"),
        *(
            Binding(str(at), f"show('{key}')", title)
            for at, (key, title, _) in enumerate(_TABLES, 1)
        ),
    ]

    def __init__(self, newest: Callable[[], Snapshot | None]) -> None:
        """``newest`` gives the newest snapshot at any time, without waiting."""
        super().__init__()
        self._newest = newest
        self._history = TopHistory()
        self._shown: Snapshot | None = None
        self._is_paused = False
        self._looking = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """A line about the target, the tables in tabs, the keys."""
        yield Static("Waiting for the first look …", id="headline", markup=False)
        with TabbedContent():
            for key, title, _ in _TABLES:
                with TabPane(title, id=f"tab-{key}"):
                    yield DataTable[Text](id=key, cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        """Make the columns, and begin to look."""
        for key, _, titles in _TABLES:
            self._table(key).add_columns(*titles)
        self._table("types").focus()
        self.set_interval(LOOK_SECS, self.look)
        self.call_later(self.look)

    async def look(self) -> None:
        """Show the newest snapshot, unless it is shown already."""
        async with self._looking:
            snapshot = self._newest()
            if snapshot is None or snapshot is self._shown or self._is_paused:
                return
            rows = await asyncio.to_thread(self._history.rows, snapshot)
            if not self.query("#headline"):
                return  # the view has ended meanwhile
            self._shown = snapshot
            self._show(rows)

    def action_pause(self) -> None:
        """Keep what is shown, or go on."""
        self._is_paused = not self._is_paused
        self.sub_title = "paused" if self._is_paused else ""
        self.notify("Paused: p goes on" if self._is_paused else "Following again")

    def action_show(self, key: str) -> None:
        """Show one of the tables."""
        self.query_one(TabbedContent).active = f"tab-{key}"
        self._table(key).focus()

    def _show(self, rows: TopRows) -> None:
        more = f" · {rows.left_out:,} rows left out" if rows.left_out else ""
        self.query_one("#headline", Static).update(printable(rows.headline + more))
        for (key, title, titles), cells in zip(
            _TABLES, (rows.types, rows.pending, rows.findings), strict=True
        ):
            self._fill(key, titles, cells)
            count = rows.suspects if key == "findings" else len(cells)
            tab = self.query_one(TabbedContent).get_tab(f"tab-{key}")
            tab.label = Text(f"{title} ({count:,})").plain

    def _fill(self, key: str, titles: Sequence[str], rows: Sequence[Cells]) -> None:
        """New rows in place of the old ones; the cursor stays on its line."""
        table = self._table(key)
        line = table.cursor_row
        table.clear()
        self._fit(key, titles, rows)
        for cells in rows:
            table.add_row(*map(_cell, titles, cells), height=None)
        table.move_cursor(row=min(line, max(len(rows) - 1, 0)))

    def _fit(self, key: str, titles: Sequence[str], rows: Sequence[Cells]) -> None:
        """Columns as wide as the terminal allows; longer texts are wrapped."""
        columns = [Column(title, is_number=title in _NUMBERS) for title in titles]
        widths = fitted_widths(columns, rows, self.size.width - GAP - _SCROLLBAR)
        for column, width in zip(self._table(key).ordered_columns, widths, strict=True):
            column.width, column.auto_width = width, False

    def _table(self, key: str) -> DataTable[Text]:
        return self.query_one(f"#{key}", DataTable)


def _cell(title: str, text: str) -> Text:
    """Text of a target as it is: nothing in it is markup, or moves the cursor."""
    return Text(printable(text), justify="right" if title in _NUMBERS else "left")
