"""The gestures over a plot: point, drag, pan, click, turn the wheel. GUI thread only.

pyqtgraph's own handling of the mouse would scale both axes.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

SHAKE_PIXELS = 3
"""A hand that holds still moves that much: no drag yet."""
ZOOM_STEP: Final = 1.25
PAN_SHARE: Final = 0.1
"""Of the visible time, by one key."""


class Keyed(Enum):
    """The act that a key asks for."""

    NOTHING = auto()
    STEP = auto()
    """Move the moment; -1: back, 1: forward."""
    PAN = auto()
    """By a share of the visible time."""
    ZOOM = auto()
    """Multiply the visible time."""
    BEGINNING = auto()
    NOW = auto()


def keyed(event: QKeyEvent) -> tuple[Keyed, float]:
    """The act and its amount: arrows pan, with Shift they move the moment; plus and minus zoom.

    Home shows the beginning, End what is now.
    """
    key = event.key()
    if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
        way = 1.0 if key == Qt.Key.Key_Right else -1.0
        has_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        return (Keyed.STEP, way) if has_shift else (Keyed.PAN, way * PAN_SHARE)
    if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
        return Keyed.ZOOM, ZOOM_STEP if key == Qt.Key.Key_Minus else 1 / ZOOM_STEP
    if key == Qt.Key.Key_Home:
        return Keyed.BEGINNING, 0.0
    return (Keyed.NOW if key == Qt.Key.Key_End else Keyed.NOTHING), 0.0


class PlotGestures(QObject):
    """Watches a widget; nothing of the mouse reaches it any more.

    Left button: drag; middle button, or left with Shift: pan.
    """

    pointed = Signal(object)
    """``QPointF``; ``None``: the pointer left."""
    pressed = Signal(object)
    """``QPointF``: a drag or a pan may begin there."""
    dragged = Signal(object)
    """``QPointF``: so far."""
    dropped = Signal()
    """The drag has ended where it was last."""
    panned = Signal(float)
    """Pixels to the right since the button went down."""
    clicked = Signal()
    double_clicked = Signal()
    wheeled = Signal(float, object)
    """Notches away from the person, and the ``QPointF`` where."""

    def __init__(self, watched: QWidget) -> None:
        """Begin to watch; lives as long as ``watched``."""
        super().__init__(watched)
        self._from: QPointF | None = None
        self._pans = False
        self._moves = False
        watched.setMouseTracking(True)
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Emit the gesture; mouse events end here."""
        if event.type() == QEvent.Type.Leave:
            self.pointed.emit(None)
        elif isinstance(event, QWheelEvent):
            self.wheeled.emit(event.angleDelta().y() / 120, event.position())
            return True
        elif isinstance(event, QMouseEvent):
            self._mouse(event)
            return True
        return super().eventFilter(watched, event)

    def _mouse(self, event: QMouseEvent) -> None:
        kind = event.type()
        if kind == QEvent.Type.MouseButtonDblClick:
            self.double_clicked.emit()
        elif kind == QEvent.Type.MouseButtonPress:
            self._press(event)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._release()
        elif kind == QEvent.Type.MouseMove:
            self._move(event.position())

    def _press(self, event: QMouseEvent) -> None:
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._pans = shift or event.button() == Qt.MouseButton.MiddleButton
        self._from, self._moves = event.position(), False
        self.pressed.emit(event.position())

    def _move(self, place: QPointF) -> None:
        if self._from is None:
            self.pointed.emit(place)
            return
        moved = place.x() - self._from.x()
        self._moves = self._moves or abs(moved) > SHAKE_PIXELS
        if self._moves and self._pans:
            self.panned.emit(moved)
        elif self._moves:
            self.dragged.emit(place)

    def _release(self) -> None:
        if self._from is None:
            return
        self._from = None
        if not self._pans:
            (self.dropped if self._moves else self.clicked).emit()
