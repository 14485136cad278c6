"""Which file to open: from a dialog, or dropped on the window. GUI thread."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

_FILTER: Final = "Screenshots and sessions (*.png *.arcs *.seg);;All files (*)"


def choose_file(window: QWidget, folder: Path) -> Path | None:
    """Ask for a file, first in ``folder``; ``None`` when the dialog was cancelled."""
    name, _ = QFileDialog.getOpenFileName(
        window, "Open a screenshot or session file", str(folder), _FILTER
    )
    return Path(name) if name else None


def dropped_file(event: QDropEvent) -> Path | None:
    """The file that is dragged over the window; ``None`` unless it is exactly one local file."""
    urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
    return Path(urls[0].toLocalFile()) if len(urls) == 1 else None
