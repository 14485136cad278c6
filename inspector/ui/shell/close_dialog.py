"""Closing resources: shows the plan with order and holders first, the outcome afterwards.

GUI thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from inspector.model import wording
from inspector.model.holders import Retainers
from inspector.session.close_plan import FATES, UNGUARDED, ClosePlan, Consent, counted, fate_of
from inspector.session.protocol import CloseAnswer
from inspector.ui.kit.labels import head_label, plain_label, quiet_label
from inspector.ui.kit.theme import Theme
from inspector.ui.shell.close_steps import CloseSteps
from inspector.ui.shell.holders_box import HoldersBox

DEADLINES: Final = (
    ("Closes that wait go on waiting", None),
    ("A resource that has not closed after 1 s stays open", 1.0),
    ("A resource that has not closed after 10 s stays open", 10.0),
    ("A resource that has not closed after 1 min stays open", 60.0),
)
"""Words, and seconds."""
_SUMMARIZED: Final = 6
"""Parts of the summary that are written out."""


class CloseDialog(QDialog):
    """Asks, then reports; stays open until dismissed."""

    close_wanted = Signal(object, bool)
    """``tuple[int, ...]`` of handles in their order, and whether to close those that others
    hold."""
    retainers_wanted = Signal(object)
    """``int``: a handle whose Python holders a person wants to see."""

    def __init__(
        self,
        theme: Theme,
        handles: Sequence[int],
        names: Mapping[int, str],
        parent: QWidget | None = None,
    ) -> None:
        """``names``: type of each handle. Waits for ``show_plan``."""
        super().__init__(parent)
        self._names = names
        self._plan = ClosePlan(tuple(handles))
        self.setWindowTitle("Close resources")
        self.resize(820, 540)
        self._build(theme)

    @property
    def handles(self) -> tuple[int, ...]:
        """Handles asked about."""
        return self._plan.asked

    @property
    def consent(self) -> Consent:
        """The ticked consent."""
        return Consent(held=self.although.isChecked(), needed=self.needed.isChecked())

    @property
    def deadline_secs(self) -> float | None:
        """After how long a close that has not run is withdrawn; ``None``: never."""
        chosen = self.deadline.currentData()
        return None if chosen is None or self.deadline.isHidden() else float(chosen)

    def show_left_out(self, words: str) -> None:
        """The shown rows that the plan leaves out, ``""``: none."""
        self.left_out.setText(f"Left out of the rows shown: {words}" if words else "")
        self.left_out.setVisible(bool(words))

    def show_plan(self, plan: ClosePlan, names: Mapping[int, str]) -> None:
        """The plan; ``names`` also has the types of dependent objects."""
        self._plan, self._names = plan, names
        needed = len(plan.needed())
        self.needed.setVisible(needed > 0)
        self.needed.setText(
            f"Close first {wording.plural(needed, 'resource')} that "
            f"{'needs' if needed == 1 else 'need'} them"
        )
        self._show_steps()
        self.steps.select_held()

    def show_result(self, answers: Sequence[CloseAnswer]) -> None:
        """The outcome."""
        self.steps.show_answers(answers, self._names)
        count = sum(answer.outcome == "closed" for answer in answers)
        waiting = any(answer.outcome == "pending" for answer in answers)
        self.head.setText(
            f"Closed {wording.plural(count, 'resource')}"
            if count
            else "Nothing was closed yet"
            if waiting
            else "Nothing was closed"
        )
        self.note.setText(
            (
                "A pending close runs when its reason is gone; until then it stays in Pending "
                "closes, where it can be taken back"
            )
            if waiting
            else "Handles stay valid; further use of a closed resource is refused"
        )
        self._end()

    def show_failure(self, sentence: str) -> None:
        """The target did not answer."""
        self.head.setText("Nothing was closed")
        self.note.setText(sentence)
        self._end()

    def show_retainers(self, handle: int, found: Retainers) -> None:
        """The Python holders of a handle's proxy."""
        self.holders.show_retainers(handle, found)

    def show_no_retainers(self, handle: int, why: str) -> None:
        """They cannot be told."""
        self.holders.show_trouble(handle, why)

    # building -------------------------------------------------------------------------------------

    def _build(self, theme: Theme) -> None:
        self.head = head_label(f"Close {wording.plural(len(self.handles), 'resource')}?")
        self.note = plain_label("Asking the target for the plan …")
        self.left_out = plain_label("")
        self.left_out.hide()
        self.steps = CloseSteps(theme)
        self.steps.chosen.connect(self._show_holders)
        self.holders = HoldersBox()
        self.needed = self._box()
        self.although = self._box()
        self.deadline = self._build_deadline()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        for widget in (
            self.head,
            self.note,
            self.left_out,
            self.steps,
            self.holders,
            self.needed,
            self.although,
            self.deadline,
        ):
            layout.addWidget(widget)
        layout.setStretchFactor(self.steps, 1)
        layout.addLayout(self._build_buttons())

    def _box(self) -> QCheckBox:
        box = QCheckBox("")
        box.hide()
        box.toggled.connect(lambda _on: self._show_steps())
        return box

    def _build_deadline(self) -> QComboBox:
        """Offered when something would wait."""
        box = QComboBox()
        box.setAccessibleName("Limit for closes that wait")
        for text, secs in DEADLINES:
            box.addItem(text, secs)
        box.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        box.hide()
        return box

    def _build_buttons(self) -> QHBoxLayout:
        self.go = QPushButton("Close")
        self.go.setEnabled(False)
        self.go.clicked.connect(self._go)
        self.cancel = QPushButton("Cancel")
        self.cancel.setDefault(True)
        self.cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addWidget(quiet_label("A close cannot be undone"), 1)
        buttons.addWidget(self.go)
        buttons.addWidget(self.cancel)
        return buttons

    # inside ---------------------------------------------------------------------------------------

    def _show_steps(self) -> None:
        consent = self.consent
        steps = self._plan.steps(consent)
        wanted = self._plan.wanted(consent)
        self.steps.show_steps(steps, consent, self._names)
        held = sum(step.is_held and step.answer.outcome in UNGUARDED for step in steps)
        self.although.setVisible(held > 0)
        self.although.setText(
            f"Close also {wording.plural(held, 'resource')} that other code holds"
        )
        self.deadline.setVisible(any(fate_of(step, consent) == "waits" for step in steps))
        self.go.setEnabled(bool(wanted))
        self.go.setText(f"Close {wording.plural(len(wanted), 'resource')}" if wanted else "Close")
        self.note.setText(self._summary(consent))

    def _summary(self, consent: Consent) -> str:
        """``120 Journal will close · 3 Journal held by others``."""
        found = counted(self._plan.steps(consent), consent, self._names)
        parts = [
            f"{count:,} {name or 'of unknown type'} {FATES[fate]}"
            for fate, name, count in found[:_SUMMARIZED]
        ]
        rest = sum(count for _, _, count in found[_SUMMARIZED:])
        return (
            " · ".join([*parts, *([f"{rest:,} more"] if rest else [])])
            or "There is nothing to close"
        )

    def _show_holders(self, answer: CloseAnswer | None) -> None:
        if answer is None:
            self.holders.clear()
        elif self.holders.show_answer(answer):
            self.retainers_wanted.emit(answer.handle)

    def _go(self) -> None:
        wanted, consent = self._plan.wanted(self.consent), self.consent
        self.go.setEnabled(False)
        self.needed.setEnabled(False)
        self.although.setEnabled(False)
        self.deadline.setEnabled(False)
        self.note.setText("Closing …")
        self.close_wanted.emit(wanted, consent.held)

    def _end(self) -> None:
        for widget in (self.go, self.although, self.needed, self.deadline, self.holders):
            widget.hide()
        self.cancel.setText("Done")
        self.cancel.setFocus()
