"""One number of the vital signs: caption, value, and text beside it.

GUI thread only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QEnterEvent, QFontMetrics, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from inspector.model.wording import UNKNOWN_TEXT
from inspector.ui.kit import assets
from inspector.ui.kit.labels import tip
from inspector.ui.kit.theme import Theme, ui_font

HEIGHT: Final = 48
INSET: Final = 8
GAP: Final = 6
ICON_SIZE: Final = 14
VALUE_POINTS: Final = 13.0


@dataclass(frozen=True, slots=True)
class Sign:
    """The content of a cell."""

    value: str
    beside: str = ""
    """Smaller, after the value: ``oldest 41 s``."""
    tint: str = "text"
    """Colour of the value; other than ``text`` only together with an icon."""
    icon: str = ""
    tooltip: str = ""


class VitalCell(QAbstractButton):
    """Clicking it opens the rows that the number counts."""

    def __init__(self, theme: Theme, caption: str, parent: QWidget | None = None) -> None:
        """``caption`` stands above the value."""
        super().__init__(parent)
        self._theme = theme
        self._caption = caption
        self._sign = Sign(UNKNOWN_TEXT, tint="text_quiet")
        self._widest = 0
        self._drawn_icon: tuple[tuple[str, str], QPixmap] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.show_sign(self._sign)

    @property
    def sign(self) -> Sign:
        """The content shown now."""
        return self._sign

    def show_sign(self, sign: Sign) -> None:
        """Show another value."""
        if sign == self._sign and self._widest:
            return
        self._sign = sign
        self.setToolTip(tip(sign.tooltip))
        self.setAccessibleName(f"{self._caption}: {sign.value} {sign.beside}".rstrip())
        wanted = self._text_width()
        if wanted > self._widest or wanted < self._widest * 0.7:
            self._widest = wanted
            self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours."""
        self._theme = theme
        self.update()

    def minimumSizeHint(self) -> QSize:
        """As ``sizeHint``: a number is not cut."""
        return self.sizeHint()

    def sizeHint(self) -> QSize:
        """Room for the widest value so far, so that neighbours stand still."""
        return QSize(self._widest + 2 * INSET, HEIGHT)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be clicked."""
        super().enterEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Caption above, value and text beside it below."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() and self.isEnabled():
            painter.fillRect(self.rect(), self._theme.color("hover"))
        if self.hasFocus():
            painter.setPen(self._theme.color("accent"))
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))
        self._paint_text(painter)
        painter.end()

    def _text_width(self) -> int:
        caption = QFontMetrics(ui_font()).horizontalAdvance(self._caption)
        value = QFontMetrics(ui_font(VALUE_POINTS, bold=True)).horizontalAdvance(self._sign.value)
        value += ICON_SIZE + GAP if self._sign.icon else 0
        value += (
            QFontMetrics(ui_font()).horizontalAdvance(self._sign.beside) + GAP
            if self._sign.beside
            else 0
        )
        return max(caption, value) + 2

    def _paint_text(self, painter: QPainter) -> None:
        painter.setFont(ui_font())
        painter.setPen(self._theme.color("text_quiet"))
        left = INSET
        baseline = HEIGHT - 12
        painter.drawText(left, 18, self._caption)
        if self._sign.icon:
            painter.drawPixmap(
                QRect(left, baseline - ICON_SIZE + 1, ICON_SIZE, ICON_SIZE), self._icon()
            )
            left += ICON_SIZE + GAP
        painter.setFont(ui_font(VALUE_POINTS, bold=True))
        painter.setPen(self._theme.color(self._sign.tint))
        painter.drawText(left, baseline, self._sign.value)
        left += painter.fontMetrics().horizontalAdvance(self._sign.value) + GAP
        painter.setFont(ui_font())
        painter.setPen(self._theme.color("text_quiet"))
        painter.drawText(left, baseline, self._sign.beside)

    def _icon(self) -> QPixmap:
        """Drawing it anew costs more than all the rest of the cell."""
        key = (self._sign.icon, getattr(self._theme, self._sign.tint))
        if self._drawn_icon is None or self._drawn_icon[0] != key:
            self._drawn_icon = key, assets.pixmap(*key, ICON_SIZE, 2.0)
        return self._drawn_icon[1]
