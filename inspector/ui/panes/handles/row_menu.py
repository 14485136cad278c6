"""Entries of the context menu that follow from the values of a row. GUI thread only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QMenu

from inspector.model.changes import ChangeRow
from inspector.model.filter import quoted
from inspector.model.snapshot import Snapshot
from inspector.model.stacks import Site
from inspector.model.threads import filter_text


@dataclass(frozen=True, slots=True)
class RowMenu:
    """Adds to a menu."""

    menu: QMenu
    narrow: Callable[[str], None]
    """Filter by this term alone."""
    exclude: Callable[[str], None]
    """Leave out the rows that match this term."""
    open_line: Callable[[str, int], None]

    def offer_handle(self, snapshot: Snapshot, type_name: str, row: int) -> None:
        """Filters by type, thread and line of a row of the handle table; -1: of its type alone."""
        self._offer(type_name, f"type:{quoted(type_name)}")
        if row < 0:
            return
        thread = snapshot.threads.get(int(snapshot.handles.created_threads[row]))
        site = snapshot.sites.get(int(snapshot.handles.created_sites[row]))
        if thread is not None:
            self._offer(f"thread {thread.search_name}", filter_text(thread))
        if site is not None and site.short():
            self._offer_site(site)

    def offer_change(self, snapshot: Snapshot, row: ChangeRow) -> None:
        """Filters by the type and the line of a row of the table of change."""
        if row.type_name:
            self._offer(row.type_name, f"type:{quoted(row.type_name)}")
        site = next((each for each in snapshot.sites.values() if each.short() == row.site), None)
        if row.site and site is not None:
            self._offer_site(site)

    def _offer_site(self, site: Site) -> None:
        self._offer(f"site {site.short()}", f"site:{quoted(site.short())}")
        frame = site.frames[site.naming]
        self.menu.addAction("Open line", lambda: self.open_line(frame.file, frame.line))

    def _offer(self, name: str, term: str) -> None:
        self.menu.addAction(f"Only {name}", lambda: self.narrow(term))
        self.menu.addAction(f"Exclude {name}", lambda: self.exclude(term))
