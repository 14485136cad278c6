"""The place of the window and its docks, kept from one start to the next. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray, QSettings, QSize
from PySide6.QtWidgets import QWidget

from inspector.ui.shell.workbench import Workbench

_GEOMETRY: Final = "geometry"
_LAYOUT: Final = "layout"


FIRST_SIZE: Final = QSize(1440, 900)
FRAME: Final = 32
"""Pixels that the frame of the window takes, or a little less."""


def first_size(screen: QSize) -> QSize:
    """The size of a new window: never larger than the ``screen``, in logical pixels."""
    return FIRST_SIZE.boundedTo(QSize(screen.width(), max(screen.height() - FRAME, 0)))


def save_layout(settings: QSettings, window: QWidget, workbench: Workbench) -> None:
    """Write both to the settings; docks that were never seen keep their stored places."""
    settings.setValue(_GEOMETRY, window.saveGeometry())
    layout = workbench.save_layout()
    if layout is not None:
        settings.setValue(_LAYOUT, layout)
    settings.sync()


def restore_layout(
    settings: QSettings, window: QWidget, workbench: Workbench, *, reset: bool
) -> None:
    """Put both where they were; ``reset`` forgets the stored places instead."""
    if reset:
        settings.remove(_GEOMETRY)
        settings.remove(_LAYOUT)
        return
    geometry, layout = settings.value(_GEOMETRY), settings.value(_LAYOUT)
    if isinstance(geometry, QByteArray):
        window.restoreGeometry(geometry)
        screen = window.screen().availableGeometry().size()
        window.resize(window.size().boundedTo(screen))
    if isinstance(layout, str):
        workbench.restore_layout(layout)
