"""Paints the handle table, one cell at a time from the model's page cache.

Group rows are one line across all columns.

Own painting because the style's item painting costs five times as much and cannot fade. GUI thread.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from inspector.model import wording
from inspector.model.columns import TABLE_COLUMNS, HandleColumn
from inspector.model.grouping import Group
from inspector.model.states import Standing
from inspector.ui.kit.assets import pixmap
from inspector.ui.kit.theme import Theme, ui_font
from inspector.ui.kit.type_colors import TypeColors
from inspector.ui.panes.handles.cells import Tone, group_facts
from inspector.ui.panes.handles.model import HandleModel

ROW_HEIGHT: Final = 24
INDENT: Final = 28
PADDING: Final = 8
ICON: Final = 14
MAX_FITS: Final = 20_000
_STANDING_ICONS: Final = {
    Standing.NORMAL: ("dot", "text_quiet"),
    Standing.WAITING: ("waiting", "waiting"),
    Standing.CLOSED: ("closed", "text_quiet"),
    Standing.FAILED: ("failed", "alarm"),
    Standing.DEAD: ("dead", "unknown"),
}
_TONE_ICONS: Final = {Tone.BORN: ("born", "born"), Tone.DYING: ("dying", "dying")}
_TONE_TEXT: Final = {Tone.BORN: "born", Tone.DYING: "dying", Tone.DEAD: "unknown"}


class HeadCache:
    """Group lines as they were painted once: each is painted again for every column it crosses.

    Good for one arrangement and its rates.
    """

    def __init__(self) -> None:
        """Empty."""
        self._about: tuple[object, object] = (None, None)
        self._pictures: dict[tuple[object, ...], QPixmap] = {}

    def get(self, about: tuple[object, object], key: tuple[object, ...]) -> QPixmap | None:
        """The line of ``key``, unless it was painted of something else."""
        if any(now is not then for now, then in zip(about, self._about, strict=True)):
            self.clear()
            self._about = about
        return self._pictures.get(key)

    def put(self, key: tuple[object, ...], picture: QPixmap) -> None:
        """Keep a line."""
        self._pictures[key] = picture

    def clear(self) -> None:
        """Forget all."""
        self._about = (None, None)
        self._pictures.clear()


class HandleDelegate(QStyledItemDelegate):
    """Painter of ``HandleModel`` rows."""

    def _forget_heads(self) -> None:
        self._heads.clear()

    def __init__(
        self, theme: Theme, model: HandleModel, colors: TypeColors, view: QTableView
    ) -> None:
        """Paints for ``view``, which shows ``model``."""
        super().__init__(view)
        self._type_colors = colors
        self._model = model
        self._view = view
        self._fits: dict[tuple[str, int], str] = {}
        self._pixmaps: dict[tuple[str, str], QPixmap] = {}
        self._plain = ui_font()
        self._bold = ui_font(bold=True)
        self._struck = QFont(self._plain)
        self._struck.setStrikeOut(True)
        self._metrics = QFontMetrics(self._plain)
        self._heads = HeadCache()
        # or it keeps the snapshot of a session that ended
        model.modelReset.connect(self._forget_heads)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        self._theme = theme
        self._pixmaps.clear()
        self._heads.clear()
        self._colors = {tint: theme.color(tint) for tint in theme.tokens()}

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Wide enough for the text."""
        return QSize(
            self._metrics.horizontalAdvance(str(index.data() or "")) + 2 * PADDING + INDENT,
            ROW_HEIGHT,
        )

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """One cell."""
        group = self._model.group_at(index.row())
        if group is None:
            self._paint_handle(painter, option, index)
            return
        self._paint_group(painter, option, index, group)

    def _paint_handle(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        source, cells = self._model.source_row(index.row()), self._model.cells
        if source < 0 or cells is None:
            return
        tone, left = cells.tone(source)
        selected = self._fill(painter, option, tone, left)
        column = TABLE_COLUMNS[index.column()]
        text = cells.text(source, index.column())
        area = _rect(option).adjusted(PADDING, 0, -PADDING, 0)
        if column.key == "id":
            area.setLeft(_rect(option).left() + INDENT)
        elif column.key == "state":
            name, token = _TONE_ICONS.get(tone) or _STANDING_ICONS[cells.standing(source)]
            painter.drawPixmap(
                area.left(), area.center().y() - ICON // 2 + 1, self._icon(name, token)
            )
            area.setLeft(area.left() + ICON + 6)
        painter.setFont(
            self._struck if tone in (Tone.DYING, Tone.DEAD) and column.key == "id" else self._plain
        )
        painter.setPen(
            self._colors[
                self._text_token(
                    tone, column, text, selected=selected, standing=cells.standing(source)
                )
            ]
        )
        flags = Qt.AlignmentFlag.AlignVCenter | (
            Qt.AlignmentFlag.AlignRight if column.kind.is_number else Qt.AlignmentFlag.AlignLeft
        )
        painter.drawText(area, flags, self._fitted(text, area.width()))

    def _fitted(self, text: str, width: int) -> str:
        """The text, shortened to the width.

        Remembered, because measuring costs more than painting.
        """
        known = self._fits.get((text, width))
        if known is None:
            if len(self._fits) > MAX_FITS:
                self._fits.clear()
            known = self._fits[text, width] = self._metrics.elidedText(
                text, Qt.TextElideMode.ElideRight, width
            )
        return known

    def _text_token(
        self, tone: Tone, column: HandleColumn, text: str, *, selected: bool, standing: Standing
    ) -> str:
        if selected:
            return "selection_text"
        if tone in _TONE_TEXT:
            return _TONE_TEXT[tone]
        if text == wording.UNKNOWN_TEXT:
            return "unknown"
        if column.key == "state":
            return _STANDING_ICONS[standing][1]
        if column.key == "native_refs" and text.startswith("−"):
            return "suspect"
        return (
            "text_quiet"
            if column.key in ("thread", "site") or (column.kind.is_number and text in ("0", "≈0"))
            else "text"
        )

    def _paint_group(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
        group: Group,
    ) -> None:
        """The part of the group's line that lies in this cell."""
        cell = _rect(option)
        place = cell.left() - self._view.columnViewportPosition(0) if index.column() else 0
        selected = bool(_state(option) & QStyle.StateFlag.State_Selected)
        width = max(self._view.viewport().width(), cell.width() + place, 1)
        key = (group.name, width, selected, self._model.is_unfolded(group))
        ratio = self._view.devicePixelRatioF()
        picture = self._heads.get((self._model.arrangement, self._model.rates), (*key, ratio))
        if picture is None:
            picture = QPixmap(round(width * ratio), round(cell.height() * ratio))
            picture.setDevicePixelRatio(ratio)
            inner = QPainter(picture)
            self.paint_head(inner, QRect(0, 0, width, cell.height()), group, selected=selected)
            inner.end()
            self._heads.put((*key, ratio), picture)
        painter.drawPixmap(
            cell.topLeft(),
            picture,
            QRectF(place * ratio, 0, cell.width() * ratio, cell.height() * ratio).toRect(),
        )

    def paint_head(self, painter: QPainter, line: QRect, group: Group, *, selected: bool) -> None:
        """A group's whole line."""
        painter.fillRect(line, self._theme.color("selection" if selected else "surface_alt"))
        middle = line.center().y()
        painter.drawPixmap(
            line.left() + 6, middle - ICON // 2 + 1, self._icon(self._chevron(group), "text_quiet")
        )
        painter.fillRect(
            QRect(line.left() + INDENT, middle - 4, 9, 9),
            self._type_colors.color(group.name, self._theme),
        )
        painter.setFont(self._bold)
        painter.setPen(self._theme.color("selection_text" if selected else "text"))
        area = line.adjusted(INDENT + 16, 0, -PADDING, 0)
        drawn = painter.boundingRect(
            area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, group.name
        )
        painter.drawText(
            area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, group.name
        )
        self._paint_facts(
            painter, area.adjusted(drawn.width() + 16, 0, 0, 0), group, selected=selected
        )
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.drawLine(line.bottomLeft(), line.bottomRight())

    def _paint_facts(self, painter: QPainter, area: QRect, group: Group, *, selected: bool) -> None:
        arrangement = self._model.arrangement
        if arrangement is None:
            return
        painter.setFont(self._plain)
        facts = [
            (fact, "text_quiet")
            for fact in group_facts(group, arrangement.snapshot, self._model.rates)
        ]
        if group.pending:
            facts.insert(1, (f"{group.pending:,} waiting to close", "waiting"))
        for fact, token in facts:
            painter.setPen(self._theme.color("selection_text" if selected else token))
            text = self._metrics.elidedText(fact, Qt.TextElideMode.ElideRight, max(area.width(), 0))
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
            area = area.adjusted(self._metrics.horizontalAdvance(text) + 20, 0, 0, 0)

    def _chevron(self, group: Group) -> str:
        return "unfolded" if self._model.is_unfolded(group) else "folded"

    def _fill(
        self, painter: QPainter, option: QStyleOptionViewItem, tone: Tone, left: float
    ) -> bool:
        """Paint the ground; whether the row is selected."""
        cell, state = _rect(option), _state(option)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(cell, self._colors["selection"])
            return True
        if state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(cell, self._colors["hover"])
        if tone in (Tone.BORN, Tone.DYING):
            painter.fillRect(
                cell,
                self._theme.color(
                    "born_fill" if tone == Tone.BORN else "dying_fill", round(55 + 200 * left)
                ),
            )
        return False

    def _icon(self, name: str, token: str) -> QPixmap:
        key = (name, token)
        if key not in self._pixmaps:
            self._pixmaps[key] = pixmap(
                name, getattr(self._theme, token), ICON, self._view.devicePixelRatioF()
            )
        return self._pixmaps[key]


def _rect(option: QStyleOptionViewItem) -> QRect:
    rect: QRect = option.rect
    return rect


def _state(option: QStyleOptionViewItem) -> QStyle.StateFlag:
    state: QStyle.StateFlag = option.state
    return state
