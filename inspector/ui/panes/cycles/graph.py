"""One cycle across the boundary as a small graph. GUI thread.

Python is on the left, native code on the right, the boundary between.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector.model.holders import Cycle, CycleNode
from inspector.ui.kit.labels import plain_tip
from inspector.ui.kit.theme import Theme, ui_font
from inspector.vocabulary import handle_text

NODE_HEIGHT: Final = 26
ROW_HEIGHT: Final = 62
LEAST_ROW_HEIGHT: Final = 44
"""A node, and the words of its edge."""
TOP: Final = 24
MARGIN: Final = 8
_ARROW: Final = 5.0


class CycleGraph(QWidget):
    """Nodes in the order of the cycle, one a row, on their side of the boundary.

    The last leads back to the first.
    """

    handle_chosen = Signal(object)
    """``int``."""
    line_wanted = Signal(str, int)
    """A file and a line of it."""

    def __init__(
        self, theme: Theme, cycle: Cycle, *, alike: int = 1, parent: QWidget | None = None
    ) -> None:
        """Draws ``cycle``; ``alike`` says how many there are of its kind, itself among them."""
        super().__init__(parent)
        self._theme = theme
        self._cycle = cycle
        self._alike = alike
        self._row_height = ROW_HEIGHT
        self.setFont(ui_font())
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(520)
        self.setAccessibleName(sentence(cycle))
        self.setAccessibleDescription(f"One of {alike:,} alike" if alike > 1 else "")
        self.setToolTip(plain_tip(sentence(cycle)))

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def fit(self, height: int) -> None:
        """Draw closer together, as far as words allow, so that all of it fits into ``height``."""
        room = (height - TOP - MARGIN) // max(len(self._cycle.nodes), 1)
        wanted = min(max(room, LEAST_ROW_HEIGHT), ROW_HEIGHT)
        if wanted != self._row_height:
            self._row_height = wanted
            self.updateGeometry()
            self.update()

    def height_at(self, row_height: int) -> int:
        """Height of the whole graph, in pixels."""
        return TOP + len(self._cycle.nodes) * row_height + MARGIN

    def sizeHint(self) -> QSize:
        """A row a node, and the way back."""
        return QSize(720, self.height_at(self._row_height))

    def node_at(self, place: QPointF) -> CycleNode | None:
        """The node at a place."""
        return next(
            (
                node
                for index, node in enumerate(self._cycle.nodes)
                if self.area(index).contains(place)
            ),
            None,
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A node that leads somewhere looks like it."""
        node = self.node_at(event.position())
        leads = node is not None and (node.handle or node.file)
        self.setCursor(Qt.CursorShape.PointingHandCursor if leads else Qt.CursorShape.ArrowCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the node's handle, or its line of code."""
        node = self.node_at(event.position())
        if node is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if node.handle:
            self.handle_chosen.emit(node.handle)
        elif node.file:
            self.line_wanted.emit(node.file, node.line)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The boundary, the edges, the nodes."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font())
        self._paint_boundary(painter)
        cut = self._cycle.cut_index()
        for index in range(len(self._cycle.nodes)):
            self._paint_edge(painter, index, is_cut=index == cut)
        for index, node in enumerate(self._cycle.nodes):
            self._paint_node(painter, self.area(index), node)

    # inside ---------------------------------------------------------------------------------------

    def _middle(self) -> float:
        return self.width() / 2

    def area(self, index: int) -> QRectF:
        """Rectangle of a node, by its place in the cycle."""
        node = self._cycle.nodes[index]
        width = self._middle() - 5 * MARGIN
        left = 4 * MARGIN if node.side == "python" else self._middle() + MARGIN
        return QRectF(left, TOP + index * self._row_height, width, NODE_HEIGHT)

    def _paint_boundary(self, painter: QPainter) -> None:
        middle, half = self._middle(), self._middle() - MARGIN
        painter.setPen(QPen(self._theme.color("line"), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(middle, 0), QPointF(middle, self.height()))
        painter.setPen(self._theme.color("text_quiet"))
        more = f" · one of {self._alike:,} alike" if self._alike > 1 else ""
        painter.drawText(
            QRectF(4 * MARGIN, 0, half, TOP - 6),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            f"Python{more}",
        )
        painter.drawText(
            QRectF(middle + MARGIN, 0, half, TOP - 6),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            "native",
        )

    def _paint_node(self, painter: QPainter, area: QRectF, node: CycleNode) -> None:
        color = self._theme.color("proxies" if node.side == "python" else "native")
        painter.setPen(QPen(color, 1))
        painter.setBrush(self._theme.color("surface"))
        painter.drawRoundedRect(area, 4, 4)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        text = f"{node.text}  {handle_text(node.handle)}" if node.handle else node.text
        painter.setPen(self._theme.color("text"))
        inner = area.adjusted(MARGIN, 0, -MARGIN, 0)
        shown = self.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideMiddle, int(inner.width())
        )
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_edge(self, painter: QPainter, index: int, *, is_cut: bool) -> None:
        node = self._cycle.nodes[index]
        color = self._theme.color("suspect" if is_cut else "text_quiet")
        style = Qt.PenStyle.SolidLine if node.is_exact else Qt.PenStyle.DotLine
        painter.setPen(QPen(color, 2 if is_cut else 1, style))
        from_area = self.area(index)
        if index == len(self._cycle.nodes) - 1:
            self._paint_way_back(painter, from_area, color)
            text_area = QRectF(
                from_area.left(),
                from_area.bottom() + 2,
                from_area.width(),
                self._row_height - NODE_HEIGHT - 4,
            )
        else:
            start = QPointF(from_area.left() + 24, from_area.bottom())
            end = QPointF(self.area(index + 1).left() + 24, self.area(index + 1).top())
            painter.drawLine(start, end)
            self._paint_arrow(painter, start, end, color)
            left = max(start.x(), end.x()) + 14
            text_area = QRectF(
                left,
                from_area.bottom() + 2,
                self.width() - left - MARGIN,
                self._row_height - NODE_HEIGHT - 4,
            )
        self._paint_words(
            painter, text_area, f"✂ cut here: {node.edge}" if is_cut else node.edge, color
        )

    def _paint_words(self, painter: QPainter, area: QRectF, text: str, color: QColor) -> None:
        painter.setPen(color)
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, int(area.width()))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_way_back(self, painter: QPainter, last: QRectF, color: QColor) -> None:
        """From the last node around on the left, up to the first."""
        first = self.area(0)
        lane = MARGIN * 1.5
        start = QPointF(last.left(), last.center().y())
        end = QPointF(first.left(), first.center().y())
        corners = [start, QPointF(lane, start.y()), QPointF(lane, end.y()), end]
        painter.drawPolyline(QPolygonF(corners))
        self._paint_arrow(painter, corners[2], end, color)

    def _paint_arrow(self, painter: QPainter, start: QPointF, end: QPointF, color: QColor) -> None:
        way = end - start
        length = max((way.x() ** 2 + way.y() ** 2) ** 0.5, 1.0)
        along, across = way / length * _ARROW, QPointF(-way.y(), way.x()) / length * _ARROW * 0.7
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([end, end - along + across, end - along - across]))
        painter.setBrush(Qt.BrushStyle.NoBrush)


def sentence(cycle: Cycle) -> str:
    """The cycle in words, for screen readers."""
    way = " → ".join(f"{node.text} ({node.edge})" for node in cycle.nodes)
    certain = "" if cycle.is_exact else "; found by reading memory"
    return f"Cycle: {way} → back; cut {cycle.cut or 'any edge'}{certain}"
