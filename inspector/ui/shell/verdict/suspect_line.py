"""One suspect on one line: type, rate, line of code, holder, and a small line. GUI thread only."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QEnterEvent, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from inspector.model.verdict import Suspect
from inspector.ui.kit.labels import tip
from inspector.ui.kit.spark import spark_points
from inspector.ui.kit.theme import Theme, ui_font

HEIGHT: Final = 26
INSET: Final = 8
GAP: Final = 6
SPARK: Final = 52
LEAST_SITE: Final = 40.0
LOOK: Final = "look ▸"


class SuspectLine(QAbstractButton):
    """A click selects its row and asks for its holders."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._theme = theme
        self._holder = ""
        self.suspect: Suspect | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)
        self.setCheckable(True)
        self.setAccessibleName("Suspect: none")

    def show_suspect(self, suspect: Suspect, holder: str) -> None:
        """``holder``: the root that holds it; ``""``: not asked yet."""
        self.suspect, self._holder = suspect, holder
        held = f", held by {holder}" if holder else ""
        self.setAccessibleName(f"Suspect: {suspect.sentence}{held}")
        evidence = "\n".join((suspect.finding.headline, *suspect.finding.evidence))
        self.setToolTip(tip(f"{evidence}\nClick to see its holders"))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """The layout gives the width."""
        return QSize(320, HEIGHT)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be clicked."""
        super().enterEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Parts from the left; the small line at the right."""
        del event
        if self.suspect is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.underMouse():
            painter.fillRect(self.rect(), self._theme.color("suspect_fill"))
        if self.hasFocus():
            painter.setPen(self._theme.color("accent"))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        right = self.width() - INSET
        if len(self.suspect.trend.at) > 1:
            right -= SPARK
            self._paint_spark(painter, QRectF(right, 6, SPARK, HEIGHT - 12))
            right -= GAP
        self._paint_parts(painter, right)
        painter.end()

    def parts(self) -> list[tuple[str, str, bool]]:
        """Text, token and weight of each part, from the left."""
        suspect = self.suspect
        if suspect is None:
            return []
        if not suspect.rate:
            return [("⚑", "suspect", True), (suspect.title, "text", False)]
        parts = [(suspect.title, "text", True), (suspect.rate, "suspect", True)]
        if suspect.site:
            parts += [("made at", "text_quiet", False), (suspect.site, "accent", False)]
        holder = (self._holder, "text", True) if self._holder else (LOOK, "accent", False)
        return [*parts, ("· held by", "text_quiet", False), holder]

    def wanted_width(self) -> int:
        """Pixels that show every part whole."""
        texts = sum(
            QFontMetricsF(ui_font(bold=bold)).horizontalAdvance(text) + GAP
            for text, _, bold in self.parts()
        )
        return int(texts) + 2 * INSET + SPARK + GAP

    def _paint_parts(self, painter: QPainter, right: float) -> None:
        left = float(INSET)
        parts = self.parts()
        site = self.suspect.site if self.suspect is not None else ""
        surplus = self.wanted_width() - INSET - SPARK - GAP - right if site else 0.0
        for text, token, bold in parts:
            painter.setFont(ui_font(bold=bold))
            painter.setPen(self._theme.color(token))
            metrics = QFontMetricsF(painter.font())
            room = right - left
            if text == site and surplus > 0:  # the line gives way, so that the holder is seen
                room = max(metrics.horizontalAdvance(text) - surplus, LEAST_SITE)
            if room < 16:
                break
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
            area = QRectF(left, 0, room, HEIGHT)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)
            left += metrics.horizontalAdvance(shown) + GAP

    def _paint_spark(self, painter: QPainter, area: QRectF) -> None:
        if self.suspect is None:
            return
        painter.setPen(QPen(self._theme.color("suspect"), 1.6))
        for points in spark_points(self.suspect.trend, area):
            painter.drawPolyline(QPolygonF(points))
