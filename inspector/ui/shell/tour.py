"""The one-minute tour of a session: cards beside the panes they speak of. GUI thread.

It begins by itself with the first demo, can be left at any step, and comes again only on request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, QSettings, Signal
from PySide6.QtWidgets import QWidget

from inspector.ui.kit.theme import Theme
from inspector.ui.shell.tour_card import TourCard, TourFrame

_SEEN: Final = "tour_seen"


@dataclass(frozen=True, slots=True)
class TourStep:
    """One card."""

    title: str
    text: str
    anchor: Callable[[], QWidget]
    """What it speaks of: the card stands beside it, a frame around it."""
    enter: Callable[[], None] | None = None
    """The pane that the window shows for it."""


class Tour(QObject):
    """Walks through its steps over one window."""

    finished = Signal()
    """It was seen to its end, or left."""

    def __init__(
        self, theme: Theme, settings: QSettings, steps: Sequence[TourStep], window: QWidget
    ) -> None:
        """Nothing is shown yet."""
        super().__init__(window)
        self._theme = theme
        self._settings = settings
        self._steps = tuple(steps)
        self._window = window
        self._place = 0
        self._card: TourCard | None = None
        self._frame: TourFrame | None = None

    @property
    def card(self) -> TourCard | None:
        """The card on screen; ``None`` while there is no tour."""
        return self._card

    @property
    def was_seen(self) -> bool:
        """A person has seen it, or left it, before."""
        return bool(self._settings.value(_SEEN, False, type=bool))

    def begin(self) -> None:
        """From the first step; a tour that runs starts again."""
        self.leave()
        self._card = TourCard(self._theme, len(self._steps), self._window)
        self._frame = TourFrame(self._theme, self._window)
        self._card.next_wanted.connect(lambda: self._go(self._place + 1))
        self._card.back_wanted.connect(lambda: self._go(self._place - 1))
        self._card.end_wanted.connect(self.end)
        self._window.installEventFilter(self)
        self._go(0)

    def end(self) -> None:
        """Leave it, and remember that."""
        if self._card is not None:
            self._settings.setValue(_SEEN, True)
            self.leave()
            self.finished.emit()

    def leave(self) -> None:
        """Take it from the screen: the session that it speaks of is over."""
        for part in (self._card, self._frame):
            if part is not None:
                part.hide()
                part.deleteLater()
        if self._card is not None:
            self._window.removeEventFilter(self)
        self._card = self._frame = None

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        if self._frame is not None and self._card is not None:
            self._frame.set_theme(theme)
            self._card.set_theme(theme)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window changed its size: so do places."""
        if watched is self._window and event.type() in (
            QEvent.Type.Resize,
            QEvent.Type.LayoutRequest,
        ):
            self._place_parts()
        return super().eventFilter(watched, event)

    def _go(self, place: int) -> None:
        if place >= len(self._steps):
            self.end()
            return
        self._place = max(place, 0)
        step = self._steps[self._place]
        if step.enter is not None:
            step.enter()
        if self._card is not None:
            self._card.show_step(self._place, step.title, step.text)
            self._place_parts()

    def _place_parts(self) -> None:
        """Frame around the subject, card beside it where there is most room."""
        if self._card is None or self._frame is None:
            return
        anchor = self._steps[self._place].anchor()
        self._frame.surround(anchor)
        self._card.stand_beside(anchor)
