"""The sentence over a table without rows, with the button that helps. GUI thread only."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from inspector.ui.kit.labels import quiet_label


class EmptyNote(QWidget):
    """Hidden while the table has rows."""

    clear_wanted = Signal()
    """The filter is to be cleared."""
    follow_wanted = Signal(str)
    """The module whose classes are to be followed."""

    def __init__(self, viewport: QWidget) -> None:
        """Lies over ``viewport``."""
        super().__init__(viewport)
        self._over: QWidget | None = None
        self._text = quiet_label("", self)
        self._text.setObjectName("Why there is no row")
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text.setWordWrap(True)
        self._button = QPushButton("Clear filter", self)
        self._button.clicked.connect(self.clear_wanted)
        self._module = ""
        self._follow = QPushButton("", self)
        self._follow.clicked.connect(lambda: self.follow_wanted.emit(self._module))
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(self._text)
        layout.addWidget(self._button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._follow, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        self.lie_over(viewport)

    def lie_over(self, viewport: QWidget) -> None:
        """Follow the size of another table's viewport."""
        if viewport is self._over:
            return
        if self._over is not None:
            self._over.removeEventFilter(self)
        self._over = viewport
        was_hidden = self.isHidden()
        self.setParent(viewport)
        self.setVisible(not was_hidden)
        viewport.installEventFilter(self)
        self.resize(viewport.size())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The viewport has another size."""
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self.resize(self._over.size())
        return super().eventFilter(watched, event)

    def say(self, text: str, *, is_empty: bool, filtered: bool, module: str = "") -> None:
        """Why there is no row.

        ``filtered``: a filter may be the reason. ``module``: a library that can be followed.
        """
        self.setVisible(is_empty)
        if is_empty:
            self._text.setText(text)
            self._button.setVisible(filtered)
            self._module = module
            self._follow.setText(f"Follow {module}")
            self._follow.setVisible(bool(module) and not filtered)
