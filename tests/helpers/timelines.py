"""Readings for a timeline, and a mouse to move over it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QToolButton

from inspector.model.snapshot import Collection, Snapshot, Vitals
from inspector.ui.panes.timeline.pane import TimelinePane
from inspector.ui.panes.timeline.plot import TimelinePlot
from tests.helpers.reading import row_of
from tests.helpers.snapshots import T0, World, make_vitals, snapshot_of

NAMES = ("TodoList", "TodoItem", "Journal", "Listener", "Cursor", "Blob", "Span")
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NO_KEY, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def named(at: float = T0 - 1) -> Snapshot:
    """A snapshot that knows seven types and no handles, whose counters are the first reading."""
    snapshot = snapshot_of(world=World(types=NAMES), at=at)
    return dataclasses.replace(
        snapshot, vitals=make_vitals(at, [100] * len(NAMES), [0] * len(NAMES))
    )


def readings(
    count: int = 100, every: float = 0.1, collections: tuple[Collection, ...] = ()
) -> Iterator[Vitals]:
    """Each reading, type k brings k births and one death."""
    for i in range(count):
        vitals = make_vitals(T0 + i * every, [100 + k * i for k in range(1, 8)], [i] * 7)
        yield dataclasses.replace(vitals, collections=collections)


def place_of(plot: TimelinePlot, share: float) -> QPointF:
    """A point of the canvas at that share of the time axis."""
    box = plot.canvas.live.getViewBox()
    return QPointF(box.mapToScene(QPointF(box.width() * share, 20)))


SHIFT, NO_KEY = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


def mouse(
    plot: TimelinePlot, kind: QEvent.Type, place: QPointF, button: Any = LEFT, keys: Any = NO_KEY
) -> None:
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
    event = QMouseEvent(kind, place, place, button, button, keys)
    QApplication.sendEvent(plot.canvas.viewport(), event)


def drag(
    plot: TimelinePlot, first: float, last: float, button: Any = LEFT, keys: Any = NO_KEY
) -> None:
    mouse(plot, QEvent.Type.MouseButtonPress, place_of(plot, first), button, keys)
    mouse(plot, QEvent.Type.MouseMove, place_of(plot, last), button, keys)
    mouse(plot, QEvent.Type.MouseButtonRelease, place_of(plot, last), button, keys)


def wheel(plot: TimelinePlot, notches: int, place: QPointF) -> None:
    no_buttons, no_keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    turned = QPoint(0, 120 * notches)
    event = QWheelEvent(
        place, place, QPoint(), turned, no_buttons, no_keys, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(plot.canvas.viewport(), event)


def legend_buttons(pane: TimelinePane) -> list[QToolButton]:
    """Switches of the lines in their order, also those without room."""
    return row_of(pane.legend, QToolButton)


def legend(pane: TimelinePane) -> list[str]:
    return [button.text() for button in legend_buttons(pane)]
