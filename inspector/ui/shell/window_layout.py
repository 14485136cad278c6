"""The place of the window and its docks, kept from one start to the next. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QWidget

from inspector.ui.shell.workbench import Workbench

_GEOMETRY: Final = "geometry"
_LAYOUT: Final = "layout"


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
    if isinstance(layout, str):
        workbench.restore_layout(layout)
