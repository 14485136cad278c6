"""A timeline pane of its own for each test, and one with readings."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QTimer

from inspector.ui.kit.theme import LIGHT
from inspector.ui.panes.timeline.pane import TimelinePane
from tests.helpers.timelines import named, readings


@pytest.fixture
def calm(qtbot: Any) -> QTimer:
    """Times the changes of the legend's numbers."""
    return QTimer()


@pytest.fixture
def pane(qtbot: Any, calm: QTimer) -> TimelinePane:
    pane = TimelinePane(LIGHT, calm=calm)
    qtbot.addWidget(pane)
    pane.resize(1200, 260)
    pane.show()
    return pane


@pytest.fixture
def fed(pane: TimelinePane) -> TimelinePane:
    pane.show_snapshot(named())
    for vitals in readings():
        pane.show_vitals(vitals)
    pane.plot.set_span(60)
    pane.plot.draw_now()
    return pane
