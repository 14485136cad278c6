"""Vertical lines on the timeline for collections, marks and attaching. GUI thread only."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from inspector.model.time_marks import Mark, MarkKind
from inspector.ui.kit.theme import Theme, ui_font
from inspector.ui.panes.timeline.canvas import ViewCurve

MIN_GAP_PIXELS: Final = 3
"""Lines of one kind closer than that are one line."""
MAX_LABELS: Final = 12
LABEL_GAP_PIXELS: Final = 56
LABEL_HEIGHT: Final = 18
"""A lower plot has no room for a word."""
LABELS: Final = {MarkKind.FORCED: "GC", MarkKind.ATTACH: "attached", MarkKind.MARK: "mark"}
"""What stands at the line; a collection that nobody asked for has none."""
TOKENS: Final = {
    MarkKind.COLLECTION: "text_quiet",
    MarkKind.FORCED: "accent",
    MarkKind.ATTACH: "live",
    MarkKind.MARK: "suspect",
}
STYLES: Final = {
    MarkKind.COLLECTION: Qt.PenStyle.DotLine,
    MarkKind.FORCED: Qt.PenStyle.SolidLine,
    MarkKind.ATTACH: Qt.PenStyle.SolidLine,
    MarkKind.MARK: Qt.PenStyle.DashLine,
}
EMPTY: Final = np.empty(0)
ALPHA: Final = {MarkKind.COLLECTION: 90}


class MarkLines:
    """One curve a kind and plot, and a few labels that are used again and again."""

    def __init__(self, theme: Theme, plots: tuple[Any, ...]) -> None:
        """No lines yet; labels go to the first of the plots."""
        self._theme = theme
        self.curves = {
            kind: [ViewCurve(connect="pairs", skipFiniteCheck=True) for _ in plots]
            for kind in MarkKind
        }
        """Vertical lines by kind, one curve a plot."""
        for curves in self.curves.values():
            for curve, plot in zip(curves, plots, strict=True):
                plot.addItem(curve, ignoreBounds=True)
                curve.hide()
        self._drawn: dict[MarkKind, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
        self._dressed: dict[Any, tuple[MarkKind, Theme]] = {}
        self.labels = [pg.TextItem(anchor=(0, 0)) for _ in range(MAX_LABELS)]
        """Words at the lines; a hidden label is free."""
        for label in self.labels:
            label.setFont(ui_font(8.5))
            label.hide()
            plots[0].addItem(label, ignoreBounds=True)
        self._boxes = [plot.getViewBox() for plot in plots]
        self._drawn_over: list[list[float]] = []
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        for kind, curves in self.curves.items():
            pen = pg.mkPen(
                theme.color(TOKENS[kind], ALPHA.get(kind, 200)), width=1, style=STYLES[kind]
            )
            for curve in curves:
                curve.setPen(pen)

    def show_marks(self, marks: list[Mark], base: float, pixels_per_sec: float) -> None:
        """Draw these marks; ``base`` is the zero of the axis."""
        # a line ends at the edges of its plot: drawn far beyond them it is lost in a vector picture
        heights = [box.viewRange()[1] for box in self._boxes]
        is_rescaled, self._drawn_over = heights != self._drawn_over, heights
        for kind, curves in self.curves.items():
            at = thinned(
                [mark.at - base for mark in marks if mark.kind is kind],
                MIN_GAP_PIXELS / pixels_per_sec,
            )
            if not is_rescaled and np.array_equal(at, self._drawn.get(kind, EMPTY)):
                continue
            self._drawn[kind] = at
            for curve, height in zip(curves, heights, strict=True):
                curve.setData(np.repeat(at, 2), np.tile(height, len(at)), connect="pairs")
                curve.setVisible(len(at) > 0)
        self._show_labels(
            [mark for mark in marks if mark.kind in LABELS], base, LABEL_GAP_PIXELS / pixels_per_sec
        )

    def _show_labels(self, marks: list[Mark], base: float, gap_secs: float) -> None:
        (_, edge), (_, top) = self._boxes[0].viewRange()
        flips_after = base + edge - gap_secs  # right of its line a label would be cut from there on
        if self._boxes[0].height() < LABEL_HEIGHT:  # a cut word over the axis says nothing
            marks = []
        labelled: list[Mark] = []
        for mark in reversed(marks):
            between = 2 if labelled and mark.at <= flips_after < labelled[-1].at else 1
            if len(labelled) < MAX_LABELS and (
                not labelled or labelled[-1].at - mark.at >= between * gap_secs
            ):
                labelled.append(mark)
        for label, mark in zip(self.labels, labelled, strict=False):
            self._dress(label, mark.kind)
            label.setAnchor((1, 0) if mark.at > flips_after else (0, 0))
            label.setPos(mark.at - base, top)
            label.show()
        for label in self.labels[len(labelled) :]:
            label.hide()

    def _dress(self, label: Any, kind: MarkKind) -> None:
        """Words and colours; laying out text is slow, so only when they change."""
        dress = (kind, self._theme)
        if self._dressed.get(label) != dress:
            self._dressed[label] = dress
            label.setText(LABELS[kind], self._theme.color(TOKENS[kind]))
            label.fill = pg.mkBrush(self._theme.color("surface", 210))


def thinned(at: list[float], gap: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The first of the moments (ascending) in each stretch of ``gap``.

    These are fixed, so that nothing flickers while scrolling.
    """
    moments = np.array(at, dtype=np.float64)
    _, first = np.unique(np.floor(moments / gap), return_index=True)
    return moments[first]
