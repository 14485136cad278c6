"""Labels in the window's few voices, and the style flags that the style sheet knows."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtGui import Qt as RichQt
from PySide6.QtWidgets import QFrame, QLabel, QWidget


def set_flag(widget: QWidget, name: str, *, on: bool) -> None:
    """Set a property that the style sheet selects by, and restyle when it changed."""
    if bool(widget.property(name)) != on:
        widget.setProperty(name, on)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def plain_tip(text: str) -> str:
    """A tooltip that shows ``text`` as it is: a target's names may look like markup."""
    return f'<p style="white-space:pre-wrap">{escape(text)}</p>'


def tip(text: str) -> str:
    """``text`` for a tooltip, as it is: only markup of Qt is escaped."""
    return plain_tip(text) if RichQt.mightBeRichText(text) else text


def text_label(text: str = "", parent: QWidget | None = None) -> QLabel:
    """A text that is shown as it is: it may come from a target."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    return label


def rich_label(parent: QWidget | None = None) -> QLabel:
    """Markup of ours that wraps; the caller escapes text of a target."""
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setWordWrap(True)
    return label


def quiet_label(text: str, parent: QWidget | None = None) -> QLabel:
    """A label for normal, secondary text."""
    label = text_label(text, parent)
    label.setProperty("quiet", True)
    return label


def plain_label(text: str, parent: QWidget | None = None) -> QLabel:
    """Text that wraps, and that is shown as it is: it may come from a target."""
    label = text_label(text, parent)
    label.setWordWrap(True)
    return label


def section_label(text: str, parent: QWidget | None = None) -> QLabel:
    """The head of a section."""
    label = text_label(text, parent)
    label.setProperty("section", True)
    return label


def head_label(text: str, parent: QWidget | None = None) -> QLabel:
    """The one large text of a pane."""
    label = text_label(text, parent)
    label.setProperty("head", True)
    return label


def rule(parent: QWidget | None = None) -> QFrame:
    """A hairline."""
    line = QFrame(parent)
    line.setObjectName("rule")
    return line


class ElidedLabel(QLabel):
    """A line that shortens itself; the whole text is its tooltip while it is shortened."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        """Wide as the layout lets it."""
        super().__init__(parent)
        self._whole = ""
        self.setMinimumWidth(24)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.set_whole(text)

    def set_whole(self, text: str) -> None:
        """Show this text."""
        self._whole = text
        self.setAccessibleName(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(
            self._whole, Qt.TextElideMode.ElideRight, max(self.width(), 24)
        )
        self.setText(shown)
        self.setToolTip(plain_tip(self._whole) if shown != self._whole else "")
