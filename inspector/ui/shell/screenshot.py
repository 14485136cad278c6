"""A picture of the window that carries its data.

It has the screen, a line of description, and the snapshot inside.

Only taking the picture needs the GUI thread; encoding and writing it take tenths of a second and
work on any. Reading one back needs no Qt: ``inspector.model.screenshot``.
"""

from __future__ import annotations

import math
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, Qt
from PySide6.QtGui import QFontMetrics, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QWidget

from inspector.errors import FileFormatError
from inspector.model.redaction import Redactor
from inspector.model.screenshot import embed, extract
from inspector.model.snapshot import Snapshot
from inspector.model.window_file import encode_state
from inspector.model.window_state import WindowState
from inspector.model.wording import UNKNOWN_TEXT, clock, number
from inspector.ui.kit.theme import DARK, LIGHT, Theme, ui_font
from inspector.ui.shell.covering import cover_private
from inspector.whole_files import write_whole

__all__ = ["embed", "extract", "save_screenshot", "stamp_text", "take_picture", "write_picture"]

STAMP_HEIGHT: Final = 26
STAMP_INSET: Final = 10
DISTRIBUTION: Final = "arc-inspector"


def save_screenshot(
    window: QWidget,
    snapshot: Snapshot,
    path: Path,
    *,
    redactor: Redactor,
    note: str = "",
    state: WindowState | None = None,
) -> None:
    """Write ``window`` as a PNG with ``snapshot`` and its ``state`` inside to ``path``.

    ``note`` (the filter) goes into the stamp line. Private parts are left out of the pixels and
    of the data. GUI thread.

    The file is whole or not there: it is written beside ``path`` and moved. Raises
    ``FileFormatError``, one line, when it cannot be written or the snapshot is too large.
    """
    picture = take_picture(window, snapshot, redactor=redactor, note=note)
    write_picture(picture, snapshot, path, redactor, state)


def take_picture(
    window: QWidget, snapshot: Snapshot, *, redactor: Redactor, note: str = ""
) -> QImage:
    """``window`` as it looks now without private parts, with the stamp line. GUI thread."""
    redactor.learn(snapshot)
    picture = window.grab().toImage()
    cover_private(picture, window, redactor)
    left, right = map(redactor.text, stamp_text(snapshot, note))
    return _stamped(picture, (left, right), _theme_of(picture))


def write_picture(
    picture: QImage,
    snapshot: Snapshot,
    path: Path,
    redactor: Redactor,
    state: WindowState | None = None,
) -> None:
    """Write ``picture`` as a PNG with ``snapshot`` and ``state`` inside; any thread.

    Private parts are left out of both. Raises as ``save_screenshot``.
    """
    redacted = redactor.snapshot(snapshot)
    data = encode_state(redactor.of(state), redacted) if state is not None else b""
    _write_whole(path, embed(_png(picture), redacted, data))


def stamp_text(snapshot: Snapshot, note: str = "") -> tuple[str, str]:
    """Left and right half of the stamp line: the target and its state, then time and viewer."""
    target = snapshot.target
    parts = [
        f"{target.name} ({target.pid})",
        str(target.state),
        f"{number(snapshot.vitals.live if snapshot.is_past else snapshot.live_count())} live",
    ]
    if target.from_outside:
        parts.append("looked at from outside")
    if snapshot.is_past:
        parts.append(f"looked back from {clock(snapshot.seen_at)}")
    if note:
        parts.append(f"filter {note}")
    parts.append(f"lost {UNKNOWN_TEXT if snapshot.is_past else number(snapshot.lost.total())}")
    day = (
        UNKNOWN_TEXT
        if math.isnan(snapshot.taken_at)
        else time.strftime("%Y-%m-%d", time.localtime(snapshot.taken_at))
    )
    return "  ·  ".join(parts), f"{day} {clock(snapshot.taken_at)}  ·  {_program()}"


def _program() -> str:
    """Name and version, the name alone where the package is not installed."""
    try:
        return f"{DISTRIBUTION} {version(DISTRIBUTION)}"
    except PackageNotFoundError:
        return DISTRIBUTION


def _theme_of(picture: QImage) -> Theme:
    """The theme that goes with the picture's lower edge, which the stamp line continues."""
    return (
        DARK
        if picture.pixelColor(picture.width() // 2, picture.height() - 2).lightness() < 128
        else LIGHT
    )


def _stamped(picture: QImage, texts: tuple[str, str], theme: Theme) -> QImage:
    """The picture with the stamp line below it, drawn at the picture's own scale."""
    ratio = picture.devicePixelRatio()
    whole = QImage(
        picture.width(), picture.height() + round(STAMP_HEIGHT * ratio), QImage.Format.Format_RGB32
    )
    whole.setDevicePixelRatio(ratio)
    whole.fill(theme.color("surface_alt"))
    painter = QPainter(whole)
    painter.drawImage(0, 0, picture)
    width, top = round(whole.width() / ratio), round(picture.height() / ratio)
    painter.setPen(theme.color("line"))
    painter.drawLine(0, top, width, top)
    painter.setPen(theme.color("text"))
    painter.setFont(ui_font())
    _draw_halves(painter, QRect(STAMP_INSET, top, width - 2 * STAMP_INSET, STAMP_HEIGHT), texts)
    painter.end()
    return whole


def _draw_halves(painter: QPainter, space: QRect, texts: tuple[str, str]) -> None:
    """The right half whole, the left one in the room that is left."""
    left, right = texts
    metrics: QFontMetrics = painter.fontMetrics()
    room = space.width() - metrics.horizontalAdvance(right) - 2 * STAMP_INSET
    painter.drawText(space, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, right)
    shown = metrics.elidedText(left, Qt.TextElideMode.ElideMiddle, max(room, 0))
    painter.drawText(space, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _png(picture: QImage) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    if not writer.write(picture):
        raise FileFormatError(f"the picture could not be made: {writer.errorString()}")
    return bytes(data.data())


def _write_whole(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data, may_replace=True)
    except OSError as error:
        raise FileFormatError(
            f"cannot write the picture: {error.strerror or error}: {path}"
        ) from error
