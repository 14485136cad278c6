"""The count equation as a bar.

It shows the four parts of a strong count in different colours and patterns.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector.model import wording
from inspector.model.equation import CountEquation
from inspector.ui.kit import trait_words
from inspector.ui.kit.labels import tip
from inspector.ui.kit.theme import Theme, ui_font

HEIGHT: Final = 16
_PARTS: Final = (
    ("proxies", "proxies", "proxy", "proxies"),
    ("in_flight", "in_flight", "call in flight", "calls in flight"),
    ("named", "native", "named native ref", "named native refs"),
    ("native", "native", "native ref", "native refs"),
    ("unexplained", "unexplained", "unexplained", "unexplained"),
)
"""Field of the equation, tint, and its words for one and for many."""


TERMS: Final = tuple((name, one, many) for name, _, one, many in _PARTS)
"""Fields of the equation with their words for one and for many."""


class CountBar(QWidget):
    """A bar as wide as the sum, with a legend below."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        """Empty."""
        super().__init__(parent)
        self._theme = theme
        self._equation: CountEquation | None = None
        self.setFont(ui_font())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def show_equation(self, equation: CountEquation) -> None:
        """Paint this equation."""
        self._equation = equation
        self.setAccessibleName(sentence(equation))
        self.setToolTip(tip(sentence(equation)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """The bar and its legend, one line each part."""
        lines = len(self._legend())
        return QSize(200, HEIGHT + 8 + lines * (self.fontMetrics().height() + 4))

    def minimumSizeHint(self) -> QSize:
        """As ``sizeHint``, narrower."""
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The parts in the order of the equation."""
        painter = QPainter(self)
        painter.setFont(self.font())
        parts = self._parts()
        total = sum(count for count, _, _ in parts)
        bar = QRectF(0.5, 0.5, self.width() - 1, HEIGHT)
        if not total:
            self._fill(painter, bar, "unknown", hatched=True)
        left = bar.left()
        for count, tint, _ in parts:
            width = bar.width() * count / total
            self._fill(
                painter,
                QRectF(left, bar.top(), max(width - 1, 1), bar.height()),
                tint,
                hatched=tint == "unexplained",
            )
            left += width
        self._paint_legend(painter)

    def _paint_legend(self, painter: QPainter) -> None:
        line = self.fontMetrics().height() + 4
        top = HEIGHT + 8
        for text, tint in self._legend():
            self._fill(
                painter,
                QRectF(0.5, top + line / 2 - 5, 9, 9),
                tint,
                hatched=tint in ("unexplained", "unknown"),
            )
            painter.setPen(self._theme.color("suspect" if tint == "suspect" else "text"))
            painter.drawText(
                QRectF(16, top, self.width() - 16, line), Qt.AlignmentFlag.AlignVCenter, text
            )
            top += line

    def _fill(self, painter: QPainter, area: QRectF, tint: str, *, hatched: bool) -> None:
        color = self._theme.color(tint)
        if not hatched:
            painter.fillRect(area, color)
            return
        painter.fillRect(area, QBrush(color, Qt.BrushStyle.BDiagPattern))
        painter.setPen(QPen(color, 1))
        painter.drawRect(area)

    def _parts(self) -> list[tuple[int, str, str]]:
        """Count, tint and words of each part that is there."""
        found = []
        for name, tint, one, many in _PARTS:
            count = getattr(self._equation, name) if self._equation else 0
            if count > 0:
                estimated = (
                    name == "in_flight"
                    and self._equation is not None
                    and self._equation.calls_estimated
                )
                found.append(
                    (count, tint, ("≈" if estimated else "") + wording.plural(count, one, many))
                )
        return found

    def _legend(self) -> list[tuple[str, str]]:
        legend = [(text, tint) for _, tint, text in self._parts()]
        if self._equation is not None and not self._equation.known:
            legend.append(("strong count not sampled", "unknown"))
        if self._equation is not None and self._equation.missing:
            legend.append((f"{self._equation.missing:,} too few: a double free to come", "suspect"))
        return legend


def sentence(equation: CountEquation) -> str:
    """``strong 4 = 2 proxies + 2 native refs, 1 call in flight``.

    A trait adds ``; inner 3, outer 2 (1 clone of the handle)``.
    """
    parts = trait_words.brief(equation.parts) if equation.parts is not None else ""
    return f"{_whole(equation)}; {parts}" if parts else _whole(equation)


def _whole(equation: CountEquation) -> str:
    if not equation.known:
        held = (
            f"{wording.plural(equation.proxies, 'proxy', 'proxies')} known"
            if equation.proxies > 0
            else "nothing known"
        )
        return f"strong count not sampled, {held}"
    terms = []
    for name, _, one, many in _PARTS:
        count = getattr(equation, name)
        if count > 0 and name != "in_flight":
            terms.append(wording.plural(count, one, many))
    text = f"strong {equation.strong:,} = {' + '.join(terms) or '0'}"
    if equation.missing:
        text += f", {equation.missing:,} too few"
    about = "≈" if equation.calls_estimated else ""
    return (
        f"{text}, {about}{wording.plural(equation.in_flight, 'call')} in flight"
        if equation.in_flight > 0
        else text
    )
