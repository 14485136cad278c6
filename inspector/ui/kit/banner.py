"""A line across the window with a problem, or with an action's outcome.

Its button helps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QWidget

from inspector.ui.kit.assets import icon, pixmap
from inspector.ui.kit.figures import Figure, FigureRow
from inspector.ui.kit.labels import text_label
from inspector.ui.kit.theme import Theme

_ICONS = {
    "plain": ("info", "text_quiet"),
    "waiting": ("waiting", "waiting"),
    "alarm": ("failed", "dying"),
}


class Banner(QFrame):
    """Hidden until told something; not modal."""

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, dismissable: bool = False
    ) -> None:
        """``dismissable``: with a button that hides it."""
        super().__init__(parent)
        self.setObjectName("banner")
        self._theme = theme
        self._tone = "plain"
        self._shown = ("", "", "")
        self._action: Callable[[], None] | None = None
        self._icon = text_label()
        self._text = text_label()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setMinimumWidth(80)
        self.figures = FigureRow()
        self._said = ""
        self._button = QPushButton()
        self._button.clicked.connect(self._act)
        self._dismiss = QToolButton()
        self._dismiss.setAccessibleName("Dismiss")
        self._dismiss.setVisible(dismissable)
        self._dismiss.clicked.connect(self.hide)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 8, 6)
        line.setSpacing(8)
        line.addWidget(self._icon)
        line.addWidget(self._text, 1)
        line.addWidget(self.figures)
        line.addWidget(self._button)
        line.addWidget(self._dismiss)
        self.set_theme(theme)
        self.hide()

    @property
    def text(self) -> str:
        """Its text; also while it is hidden."""
        return self._said

    @property
    def button(self) -> QPushButton:
        """The button that helps; hidden when nothing does."""
        return self._button

    def say(
        self,
        text: str,
        *,
        tone: str = "plain",
        button: str = "",
        action: Callable[[], None] | None = None,
    ) -> None:
        """Show a sentence. ``tone``: ``plain``, ``waiting`` or ``alarm``."""
        if (text, tone, button) == self._shown and not self.isHidden():
            self._action = action
            return
        self._shown = text, tone, button
        self._text.setText(text)
        self._said = text
        self.figures.show_figures(())
        self._tone = tone
        self._action = action
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self.setAccessibleName(text)
        self.setProperty("tone", tone)
        for widget in (self, self._text):
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self.set_theme(self._theme)
        self.show()

    def tell_figures(self, head: str, figures: Sequence[Figure], *, text: str) -> None:
        """Show numbers after a short ``head``.

        ``text`` is the same as a sentence, for screen readers.
        """
        self.say(text)
        self._text.setText(head)
        self.figures.show_figures(figures)
        self._shown = ("", "", "")

    def set_theme(self, theme: Theme) -> None:
        """Change colours."""
        self._theme = theme
        name, token = _ICONS[self._tone]
        self._icon.setPixmap(pixmap(name, getattr(theme, token), 16, self.devicePixelRatioF()))
        self._dismiss.setIcon(icon("clear", theme, tint="text_quiet"))

    def _act(self) -> None:
        if self._action is not None:
            self._action()
