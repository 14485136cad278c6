"""The caps of everything that the window keeps, with the amounts in use. GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from inspector.model import wording
from inspector.model.caps import CAPS, Cap, Use
from inspector.ui.kit.labels import quiet_label, set_flag, text_label

WIDTH: Final = 620
HEIGHT: Final = 560
INTERVAL_MILLIS: Final = 1000
UNUSED: Final = "not in use"
"""The amount of a cap whose owner does not exist now: nothing is recorded, or attached."""


class LimitsDialog(QDialog):
    """A list that follows the amounts while it is open. The window behind it can be used."""

    def __init__(self, uses: Callable[[], Iterable[Use]], parent: QWidget | None = None) -> None:
        """``uses`` reads the present amounts."""
        super().__init__(parent)
        self.setWindowTitle("Limits of this window")
        self.resize(WIDTH, HEIGHT)
        self._uses = uses
        body = QWidget()
        grid = QGridLayout(body)
        grid.setColumnStretch(0, 1)
        grid.setHorizontalSpacing(16)
        self._amounts = {cap.key: _add_row(grid, cap) for cap in CAPS}
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(body)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        outside = QVBoxLayout(self)
        outside.addWidget(area)
        outside.addWidget(buttons)
        self._timer = QTimer(self, interval=INTERVAL_MILLIS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        self.refresh()

    @property
    def lines(self) -> tuple[str, ...]:
        """The listed caps, a line each: ``Marks: 3 of 60 marks``."""
        return tuple(f"{cap.what}: {self._amounts[cap.key].text()}" for cap in CAPS)

    def refresh(self) -> None:
        """Show the present amounts."""
        found = {use.cap.key: use for use in self._uses()}
        for cap in CAPS:
            use, label = found.get(cap.key), self._amounts[cap.key]
            label.setText(amount_text(cap, use))
            set_flag(label, "alarm", on=use is not None and use.left_out > 0 and cap.is_loss)


def amount_text(cap: Cap, use: Use | None) -> str:
    """``412 of 8,192 readings``, and the amount that was left out so far."""
    most = wording.size(cap.most) if cap.unit == "bytes" else f"{cap.most:,} {cap.unit}"
    if use is None:
        return f"{UNUSED}, at most {most}"
    used = wording.size(use.used) if cap.unit == "bytes" else f"{use.used:,}"
    left = f", {use.left_out:,} {cap.left_word}" if use.left_out else ""
    return f"{used} of {most}{left}"


def show_limits(window: QWidget, uses: Callable[[], Iterable[Use]]) -> None:
    """Open the dialog over ``window``, or raise the open dialog."""
    shown = window.findChild(LimitsDialog)
    if isinstance(shown, LimitsDialog):
        shown.raise_()
        return
    dialog = LimitsDialog(uses, window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()


def _add_row(grid: QGridLayout, cap: Cap) -> QLabel:
    row = grid.rowCount()
    amount = text_label("")
    amount.setObjectName(cap.what)
    about = quiet_label(f"{cap.beyond}. Size: {cap.reason[:1].lower()}{cap.reason[1:]}")
    about.setWordWrap(True)
    about.setAlignment(Qt.AlignmentFlag.AlignTop)
    grid.addWidget(text_label(cap.what), row, 0)
    grid.addWidget(amount, row, 1, Qt.AlignmentFlag.AlignRight)
    grid.addWidget(about, row + 1, 0, 1, 2)
    grid.setRowMinimumHeight(row + 1, 28)
    return amount
