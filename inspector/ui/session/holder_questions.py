"""Asks the session for the holders of an object, and brings the answers to the GUI thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal

from inspector.model.holders import CycleReport, NativeHolders, Retainers, SearchProgress
from inspector.session.searching import Search
from inspector.ui.session.attachment import Attachment


class HolderQuestions(QObject):
    """One search at a time: a new one gives the one before up. All signals on the GUI thread."""

    native_named = Signal(object, object)
    """``int``, ``NativeHolders``."""
    retainers_found = Signal(object, object)
    """``int``, ``Retainers``."""
    cycles_found = Signal(object)
    """``CycleReport``."""
    progressed = Signal(object, object)
    """``int``, ``SearchProgress``."""
    failed = Signal(object, str)
    """``int`` and why, a sentence."""
    _heard = Signal(object, object, object)

    def __init__(self, attachment: Attachment, parent: QObject | None = None) -> None:
        """Asks the session of ``attachment``."""
        super().__init__(parent)
        self._attachment = attachment
        self._search: Search | None = None
        self._heard.connect(self._pass_on, Qt.ConnectionType.QueuedConnection)

    def name_native(self, handle: int) -> None:
        """Which native references have a name? The answer comes by ``native_named``."""

        def named(holders: NativeHolders) -> None:
            self.native_named.emit(handle, holders)

        self._attachment.ask(
            lambda session: session.native_holders(handle),
            named,
            on_error=lambda _why: None,
            quiet=True,
        )

    def find_retainers(self, handle: int) -> None:
        """What holds the proxy? The answer comes by ``retainers_found``."""
        search = self._begin(handle)

        def found(retainers: Retainers) -> None:
            if search is self._search:
                self.retainers_found.emit(handle, retainers)

        self._attachment.ask(
            lambda session: session.retainers(handle, search),
            found,
            on_error=lambda why: self._fail(search, handle, why),
            quiet=True,
        )

    def find_cycles(self, handle: int = 0) -> None:
        """Which cycles across the boundary are there? The answer comes by ``cycles_found``."""
        search = self._begin(handle)

        def found(report: CycleReport) -> None:
            if search is self._search:
                self.cycles_found.emit(report)

        self._attachment.ask(
            lambda session: session.cycles(handle, search),
            found,
            on_error=lambda why: self._fail(search, handle, why),
            quiet=True,
        )

    def give_up(self) -> None:
        """Give up the search."""
        if self._search is not None:
            self._search.give_up()
            self._search = None

    def _begin(self, handle: int) -> Search:
        self.give_up()
        # the lambda runs on a thread of the session
        search = Search(lambda progress: self._heard.emit(search, handle, progress))
        self._search = search
        return search

    def _pass_on(self, search: Search, handle: int, progress: SearchProgress) -> None:
        if search is self._search:
            self.progressed.emit(handle, progress)

    def _fail(self, search: Search, handle: int, why: str) -> None:
        if search is self._search:
            self.failed.emit(handle, why)
