"""The growth test's steps.

The person repeats a scenario and presses Next after each round. All that every round left is kept.

GUI thread only.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from inspector.model.marks import MarkedState
from inspector.ui.kit.labels import plain_label

ROUNDS: Final = 3
NAME: Final = "growth test, round"


class GrowthSteps(QWidget):
    """A line of instructions; hidden while no test runs."""

    mark_wanted = Signal(str)
    """A round begins or ended: set a mark of that name."""
    finished = Signal(object)
    """``tuple[MarkedState, ...]``: the marks of all rounds."""
    stopped = Signal()
    """The test was given up, or its result is not wanted any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """No test runs."""
        super().__init__(parent)
        self.setObjectName("pane_head")
        self._round = -1
        self._text: QLabel = plain_label("")
        self._text.setObjectName("Instruction")
        self._next = QPushButton("Next")
        self._next.setProperty("primary", True)
        self._next.clicked.connect(self._ask_mark)
        self._stop = QPushButton("Stop")
        self._stop.clicked.connect(self.stop)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 12, 6)
        line.setSpacing(8)
        line.addWidget(self._text, 1)
        line.addWidget(self._next)
        line.addWidget(self._stop)
        self._marks: list[MarkedState] = []
        self.hide()

    @property
    def is_running(self) -> bool:
        """Rounds are still to come."""
        return 0 <= self._round <= ROUNDS and len(self._marks) <= ROUNDS

    def start(self) -> None:
        """Mark where the test begins."""
        self._marks, self._round = [], 0
        self.show()
        self._ask_mark()

    def stop(self) -> None:
        """Give the test up; its marks stay."""
        self._marks, self._round = [], -1
        self.hide()
        self.stopped.emit()

    def take(self, marks: tuple[MarkedState, ...]) -> None:
        """Marks were set: continue when the requested mark is among them."""
        wanted = f"{NAME} {len(self._marks)}"
        known = {id(mark) for mark in self._marks}
        found = [mark for mark in marks if mark.name == wanted and id(mark) not in known]
        if not self.is_running or not found:
            return
        self._marks.append(found[-1])
        self._round = len(self._marks)
        self._say()
        if self._round > ROUNDS:
            self.finished.emit(tuple(self._marks))

    def _ask_mark(self) -> None:
        self._next.setEnabled(False)
        self.mark_wanted.emit(f"{NAME} {len(self._marks)}")

    def _say(self) -> None:
        self._next.setEnabled(self.is_running)
        self._next.setVisible(self.is_running)
        self._stop.setText("Stop" if self.is_running else "Done")
        if self.is_running:
            self._text.setText(
                f"Round {self._round} of {ROUNDS}: run your scenario once, then press Next"
            )
        else:
            self._text.setText(
                f"Handles that each of the {ROUNDS} rounds left behind and that still live; a "
                "flag: the same number in each round"
            )
