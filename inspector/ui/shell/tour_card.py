"""The parts of a tour: a card with a few words, and a frame around their subject. GUI thread."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from inspector.ui.kit.labels import head_label, plain_label, quiet_label
from inspector.ui.kit.theme import Theme

WIDTH: Final = 340
GAP: Final = 12
FRAME: Final = 2
KEYS: Final = (Qt.Key.Key_Escape, Qt.Key.Key_Left, Qt.Key.Key_Right)


class TourFrame(QWidget):
    """A line around a widget; lets every click through."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        """Hidden until it has something to surround."""
        super().__init__(window)
        self._window = window
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def surround(self, anchor: QWidget) -> None:
        """Lie over ``anchor``."""
        self.setGeometry(place_of(anchor, self._window))
        self.raise_()
        self.show()

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The line."""
        del event
        painter = QPainter(self)
        painter.setPen(QPen(self._theme.color("accent"), FRAME))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()


class TourCard(QFrame):
    """One step: title, a few sentences, and the way on."""

    next_wanted = Signal()
    back_wanted = Signal()
    end_wanted = Signal()

    def __init__(self, theme: Theme, steps: int, window: QWidget) -> None:
        """``steps`` in all."""
        super().__init__(window)
        self._window = window
        self._steps = steps
        self.setObjectName("card")
        self.setAccessibleName("Tour")
        self.setFixedWidth(WIDTH)
        self.title: QLabel = head_label("")
        self.title.setWordWrap(True)
        self.text = plain_label("")
        self.count = quiet_label("")
        self.leave = QPushButton("End tour")
        self.leave.setProperty("flat", True)
        self.leave.clicked.connect(self.end_wanted)
        self.back = QPushButton("Back")
        self.back.clicked.connect(self.back_wanted)
        self.forward = QPushButton("Next")
        self.forward.setProperty("primary", True)
        self.forward.clicked.connect(self.next_wanted)
        line = QHBoxLayout()
        line.addWidget(self.count, 1)
        for button in (self.leave, self.back, self.forward):
            line.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.text)
        layout.addLayout(line)
        self.set_theme(theme)

    def show_step(self, place: int, title: str, text: str) -> None:
        """Say this; ``place`` is counted from 0."""
        last = place == self._steps - 1
        self.title.setText(title)
        self.text.setText(text)
        self.count.setText(f"{place + 1} of {self._steps}")
        self.back.setVisible(place > 0)
        self.leave.setVisible(not last)
        self.forward.setText("Done" if last else "Next")
        self.setAccessibleDescription(f"{title}. {text}")
        self.show()
        self.raise_()
        self.forward.setFocus(Qt.FocusReason.OtherFocusReason)

    def stand_beside(self, anchor: QWidget) -> None:
        """Move below, above, left or right of ``anchor``, wherever the card fits.

        Else it moves inside the anchor's lower right corner.
        """
        layout = self.layout()
        if layout is not None:
            layout.activate()
        self.resize(
            WIDTH,
            self.heightForWidth(WIDTH) if self.hasHeightForWidth() else self.sizeHint().height(),
        )
        self.move(
            beside(place_of(anchor, self._window), self.size().toTuple(), self._window.rect())
        )
        self.raise_()

    def set_theme(self, theme: Theme) -> None:
        """The style sheet has its colours."""
        self.style().unpolish(self)
        self.style().polish(self)
        self.setProperty("theme", theme.name)

    def event(self, event: QEvent) -> bool:
        """Its keys are its own while it has the focus, though the window has shortcuts on them."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in KEYS
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves, arrows go on and back."""
        match event.key():
            case Qt.Key.Key_Escape:
                self.end_wanted.emit()
            case Qt.Key.Key_Right:
                self.next_wanted.emit()
            case Qt.Key.Key_Left:
                self.back_wanted.emit()
            case _:
                super().keyPressEvent(event)


def place_of(widget: QWidget, window: QWidget) -> QRect:
    """The visible place of ``widget`` in ``window``."""
    corner = widget.mapTo(window, QPoint(0, 0))
    return QRect(corner, widget.size()).intersected(window.rect())


def beside(anchor: QRect, size: tuple[int, int], window: QRect) -> QPoint:
    """A place for a card of that size that does not cover ``anchor``."""
    width, height = size
    x = min(
        max(anchor.center().x() - width // 2, window.left() + GAP), window.right() - width - GAP
    )
    y = min(max(anchor.top() + GAP, window.top() + GAP), window.bottom() - height - GAP)
    if anchor.bottom() + GAP + height < window.bottom():
        return QPoint(x, anchor.bottom() + GAP)
    if anchor.top() - GAP - height > window.top():
        return QPoint(x, anchor.top() - GAP - height)
    if anchor.left() - GAP - width > window.left():
        return QPoint(anchor.left() - GAP - width, y)
    if anchor.right() + GAP + width < window.right():
        return QPoint(anchor.right() + GAP, y)
    return QPoint(
        anchor.right() - width - GAP, max(anchor.bottom() - height - GAP, window.top() + GAP)
    )
