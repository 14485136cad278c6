"""A line as large as its visible part. GUI thread only."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QRectF


class ViewCurve(pg.PlotCurveItem):  # type: ignore[misc]  # pyqtgraph has no types
    """A curve of a plot whose scale is set elsewhere.

    The ready-made one looks through all its points for its size, many times a frame. Here that size
    is not needed: points outside the view are cut off anyway.
    """

    def boundingRect(self) -> QRectF:
        """The view's, in the curve's coordinates."""
        box = self.getViewBox()
        return QRectF() if box is None else box.viewRect()
