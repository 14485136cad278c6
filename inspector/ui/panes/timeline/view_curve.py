"""A line that is as large as what is seen of it. GUI thread only."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QRectF


class ViewCurve(pg.PlotCurveItem):  # type: ignore[misc]  # pyqtgraph has no types
    """A curve of a plot whose scale others set.

    The ready-made one looks through all its points for its size, many times a frame. Here nobody needs that size: what lies
    outside the view is cut off anyway.
    """

    def boundingRect(self) -> QRectF:
        """The view's, in the curve's coordinates."""
        box = self.getViewBox()
        return QRectF() if box is None else box.viewRect()
