"""Losses, refusals and less frequent samples, each counter in words. GUI thread."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QVBoxLayout, QWidget

from inspector.model import wording
from inspector.model.losses import Counted, history_of, missing_of, notes_of, refused_of
from inspector.model.snapshot import Lost, Snapshot
from inspector.ui.kit.labels import quiet_label, section_label, set_flag, text_label
from inspector.ui.session.attachment import Attachment

WIDTH = 560
NOTHING = "Nothing was lost and nothing was refused: all that happened is counted"


class LossesDialog(QDialog):
    """A list that follows the newest snapshot while it is open.

    The window behind it can be used.
    """

    def __init__(self, lost: Lost, parent: QWidget | None = None) -> None:
        """Shows ``lost``."""
        super().__init__(parent)
        self.setWindowTitle("Lost and refused")
        self.setMinimumWidth(WIDTH)
        self._lost: Lost | None = None
        self._body = QWidget()
        self._lines: tuple[str, ...] = ()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self._outside = QVBoxLayout(self)
        self._outside.setContentsMargins(16, 12, 16, 12)
        self._outside.addWidget(self._body)
        self._outside.addStretch(1)
        self._outside.addWidget(buttons)
        self.show_lost(lost)

    @property
    def lines(self) -> tuple[str, ...]:
        """The listed counters, a line each: ``1,204 handles without a row``."""
        return self._lines

    @Slot(object)
    def follow(self, snapshot: Snapshot) -> None:
        """A newer snapshot."""
        self.show_lost(snapshot.lost)

    def show_lost(self, lost: Lost) -> None:
        """Newer counters; equal counters change nothing."""
        if self._lost is not None and lost.counts == self._lost.counts:
            return
        self._lost = lost
        body = QWidget()
        grid = QGridLayout(body)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        sections = (
            ("Lost, so numbers may be short", missing_of(lost)),
            ("Overwritten history: all counts are right", history_of(lost)),
            ("Refused uses", refused_of(lost)),
            ("Sampled less often", notes_of(lost)),
        )
        shown = [(title, counted) for title, counted in sections if counted]
        for title, counted in shown:
            _add_section(grid, title, counted, alarm=title == sections[0][0])
        if not shown:
            grid.addWidget(quiet_label(NOTHING), 0, 0, 1, 2)
        self._lines = tuple(_line(each) for _, counted in shown for each in counted)
        self._outside.replaceWidget(self._body, body)
        self._body.deleteLater()
        self._body = body


def show_losses(window: QWidget, attachment: Attachment) -> None:
    """Open the dialog over ``window``, or raise the open dialog; it closes with the session."""
    snapshot, shown = attachment.snapshot, window.findChild(LossesDialog)
    if isinstance(shown, LossesDialog):
        shown.raise_()
    elif snapshot is not None:
        dialog = LossesDialog(snapshot.lost, window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        attachment.snapshot_seen.connect(dialog.follow)
        attachment.finished.connect(dialog.reject)
        dialog.show()


def _add_section(grid: QGridLayout, title: str, counted: Sequence[Counted], *, alarm: bool) -> None:
    row = grid.rowCount()
    grid.addWidget(section_label(title), row, 0, 1, 2)
    for each in counted:
        row += 1
        number = text_label(wording.number(each.count))
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        set_flag(number, "alarm", on=alarm)
        meaning = quiet_label(each.meaning)
        meaning.setWordWrap(True)
        grid.addWidget(number, row, 0)
        grid.addWidget(text_label(each.what), row, 1)
        row += 1
        grid.addWidget(meaning, row, 1)
    grid.setRowMinimumHeight(row + 1, 8)


def _line(each: Counted) -> str:
    return f"{wording.number(each.count)} {each.what}"
