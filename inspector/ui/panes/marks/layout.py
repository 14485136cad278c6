"""Rows and columns of widgets in the Marks pane."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from inspector.ui.kit.layouts import flush_column


def line_of(*widgets: QWidget) -> QWidget:
    """The head of a part: widgets in a row. A quiet label takes the room that is left."""
    head = QWidget()
    head.setObjectName("pane_head")
    line = QHBoxLayout(head)
    line.setContentsMargins(8, 4, 8, 4)
    line.setSpacing(6)
    for widget in widgets:
        line.addWidget(widget, int(widget.property("quiet") is True))
    if len(widgets) != 3 or widgets[1].property("quiet") is not True:
        line.addStretch(1)
    return head


def column_of(*widgets: QWidget) -> QWidget:
    """Widgets below each other without margins."""
    column = QWidget()
    layout = flush_column(column)
    for widget in widgets:
        layout.addWidget(widget)
    return column
