"""The places of the window's icons and style sheet, and their tint. GUI thread only."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

from inspector.ui.kit.theme import Theme


@cache
def resource(kind: str, name: str) -> Path:
    """A file of ``resources``.

    A checkout has the file itself; elsewhere it is the copy that the build put into
    ``inspector/ui``.
    """
    package = Path(__file__).resolve().parents[1]
    checkout = package.parents[1]
    inside = (checkout / "pyproject.toml").exists() and (
        checkout / "resources" / kind / name
    ).exists()
    return (checkout if inside else package) / "resources" / kind / name


def pixmap(name: str, color: str, size: int = 16, ratio: float = 1.0) -> QPixmap:
    """The icon ``name`` in ``color`` (``#rrggbb``).

    It is ``size`` device-independent pixels wide and high. Qt's cache of pixmaps keeps it.
    """
    key = f"arc-inspector {name} {color} {size} {ratio}"
    kept = QPixmap()
    if not QPixmapCache.find(key, kept):
        kept = _drawn(name, color, size, ratio)
        QPixmapCache.insert(key, kept)
    return kept


def _drawn(name: str, color: str, size: int, ratio: float) -> QPixmap:
    svg = (
        resource("icons", f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", color)
    )
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture


def icon(name: str, theme: Theme, *, tint: str = "text") -> QIcon:
    """The icon in the theme's colour.

    It is greyed where its action is disabled, and accented where it is checked.
    """
    made = QIcon()
    for ratio in (1.0, 2.0):
        made.addPixmap(
            pixmap(name, getattr(theme, tint), 20, ratio), QIcon.Mode.Normal, QIcon.State.Off
        )
        made.addPixmap(pixmap(name, theme.accent, 20, ratio), QIcon.Mode.Normal, QIcon.State.On)
        faint = theme.color("text_quiet", 120)
        made.addPixmap(
            _faded(pixmap(name, faint.name(), 20, ratio)), QIcon.Mode.Disabled, QIcon.State.Off
        )
    return made


def style_sheet(theme: Theme) -> str:
    """The window's style sheet with the theme's tokens."""
    sheet = resource("themes", "window.qss")
    return Template(sheet.read_text(encoding="utf-8")).substitute(
        theme.tokens(), folder=sheet.parent.as_posix()
    )


def _faded(picture: QPixmap) -> QPixmap:
    faded = QPixmap(picture.size())
    faded.setDevicePixelRatio(picture.devicePixelRatio())
    faded.fill(Qt.GlobalColor.transparent)
    painter = QPainter(faded)
    painter.setOpacity(0.45)
    painter.drawPixmap(0, 0, picture)
    painter.end()
    return faded
