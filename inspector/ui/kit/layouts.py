"""Layouts that several panes and dialogs have in common. GUI thread only."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget


def flush_column(host: QWidget) -> QVBoxLayout:
    """A column that fills ``host``: no margins, and no space between its parts."""
    column = QVBoxLayout(host)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    return column
