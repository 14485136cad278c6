"""The conversation about closing.

It asks until the plan is whole, shows it, closes with consent, and reports.

GUI thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from inspector.model.snapshot import Snapshot
from inspector.session.close_plan import ClosePlan
from inspector.session.protocol import CloseAnswer
from inspector.ui.session.holder_questions import HolderQuestions
from inspector.ui.session.target_actions import TargetActions
from inspector.ui.shell.appearance import Appearance
from inspector.ui.shell.close_dialog import CloseDialog
from inspector.vocabulary import handle_text

MOST_ROUNDS: Final = 16
"""How deep things that need things are followed; a target could go on for ever."""


class Closing(QObject):
    """At most one dialog."""

    def __init__(
        self,
        target_actions: TargetActions,
        questions: HolderQuestions,
        appearance: Appearance,
        window: QWidget,
    ) -> None:
        """Dialogs over ``window``; ``questions`` asks for the holders of the resources to close."""
        super().__init__(window)
        self._target_actions = target_actions
        self._questions = questions
        self._appearance = appearance
        self._window = window
        self._snapshot: Snapshot | None = None
        self._plan = ClosePlan(())
        self._rounds = 0
        self.dialog: CloseDialog | None = None
        target_actions.previewed.connect(self._previewed)
        target_actions.closed.connect(self._closed)
        target_actions.close_failed.connect(
            lambda why: self.dialog.show_failure(why) if self.dialog else None
        )
        questions.retainers_found.connect(
            lambda handle, found: self.dialog.show_retainers(handle, found) if self.dialog else None
        )
        questions.failed.connect(
            lambda handle, why: self.dialog.show_no_retainers(handle, why) if self.dialog else None
        )

    def begin(
        self, handles: Sequence[int], snapshot: Snapshot | None, *, left_out: str = ""
    ) -> None:
        """Ask about these handles; their types are in ``snapshot``.

        ``left_out``: the shown rows that are not among them, in words.
        """
        if not handles or snapshot is None or self.dialog is not None:
            return
        self._snapshot, self._plan, self._rounds = snapshot, ClosePlan(tuple(handles)), 0
        self.dialog = CloseDialog(
            self._appearance.theme, handles, type_names(snapshot, handles), self._window
        )
        self.dialog.show_left_out(left_out)
        self.dialog.close_wanted.connect(self._close)
        self.dialog.retainers_wanted.connect(self._questions.find_retainers)
        self.dialog.finished.connect(self._gone)
        self.dialog.open()
        self._target_actions.preview_close(handles)

    def end(self) -> None:
        """The session is over: so is the conversation."""
        if self.dialog is not None:
            self.dialog.reject()

    def _close(self, wanted: tuple[int, ...], although_held: bool) -> None:
        deadline_secs = self.dialog.deadline_secs if self.dialog is not None else None
        self._target_actions.close_handles(
            wanted, although_held=although_held, deadline_secs=deadline_secs
        )

    def _previewed(self, answers: tuple[CloseAnswer, ...]) -> None:
        if self.dialog is None or self._snapshot is None:
            return
        self._plan = self._plan.with_answers(answers)
        self._rounds += 1
        unknown = self._plan.unknown()
        if unknown and self._rounds < MOST_ROUNDS:
            self._target_actions.preview_close(unknown)
            return
        self.dialog.show_plan(
            self._plan, type_names(self._snapshot, [answer.handle for answer in self._plan.answers])
        )

    def _closed(self, answers: tuple[CloseAnswer, ...]) -> None:
        if self.dialog is not None:
            self.dialog.show_result(answers)

    def _gone(self) -> None:
        self._questions.give_up()
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None


def type_names(snapshot: Snapshot, handles: Sequence[int]) -> dict[int, str]:
    """Type of each handle that the snapshot knows; handle text where not."""
    names = {handle: handle_text(handle) for handle in handles}
    for row in np.flatnonzero(np.isin(snapshot.handles.ids, np.array(handles, dtype=np.uint64))):
        known = snapshot.types.get(int(snapshot.handles.types[row]))
        names[int(snapshot.handles.ids[row])] = known.name if known else ""
    return names
