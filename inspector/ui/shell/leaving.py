"""Ends a session whose agent this window loaded. GUI thread.

The window asks once, or each time, whether the agent goes as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from inspector.ui.kit.labels import head_label, plain_label, set_flag
from inspector.ui.session.attachment import Attachment

DETACH_KEY: Final = "detach"
"""The setting of the answer that is given without a question."""
_REMOVE: Final = "remove"
_LEAVE: Final = "leave"
DETACH_CHOICES: Final = {
    "": "Ask whether a loaded agent goes",
    _REMOVE: "Remove a loaded agent",
    _LEAVE: "Leave a loaded agent in the program",
}


class LeaveDialog(QDialog):
    """Asks whether the agent stays; rejected: the session continues."""

    chosen = Signal(bool, bool)
    """Whether the agent is removed, and whether that is the answer from now on."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """``name`` of the target, as it is shown."""
        super().__init__(parent)
        self.setWindowTitle("Detach")
        self.setMinimumWidth(460)
        self.always = QCheckBox("Do the same from now on, without asking")
        self.remove = QPushButton("Detach and remove the agent")
        self.leave = QPushButton("Leave it")
        self.cancel = QPushButton("Cancel")
        set_flag(self.remove, "primary", on=True)
        self.remove.setDefault(True)
        self.remove.clicked.connect(lambda: self._choose(remove=True))
        self.leave.clicked.connect(lambda: self._choose(remove=False))
        self.cancel.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(head_label(f"Detach from {name}?"))
        layout.addWidget(
            plain_label(
                "The inspector was loaded into it. It can be removed again: hooks, "
                "threads and files go, the program runs on."
            )
        )
        layout.addWidget(
            plain_label("Left in it, it leaves by itself 5 minutes after its last viewer.")
        )
        layout.addWidget(self.always)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        for button in (self.remove, self.leave, self.cancel):
            buttons.addWidget(button)
        layout.addLayout(buttons)

    def _choose(self, *, remove: bool) -> None:
        self.chosen.emit(remove, self.always.isChecked())
        self.accept()


class Leaving(QObject):
    """Ends the session, with the question where there is something to ask."""

    def __init__(self, attachment: Attachment, settings: QSettings, window: QWidget) -> None:
        """Remembers the answer in ``settings``; asks above ``window``."""
        super().__init__(window)
        self._attachment = attachment
        self._settings = settings
        self._window = window
        self.asks = True
        """False: the window was told to end by a signal, which nobody waits at."""
        attachment.removes_replaced = lambda: self._remembered != _LEAVE

    @property
    def has_question(self) -> bool:
        """Whether ending the session asks first."""
        return self._attachment.situation.can.brought and self.asks and not self._remembered

    def forget(self) -> None:
        """Ask again from now on."""
        self._settings.remove(DETACH_KEY)
        self._attachment.told.emit(
            ("Detaching asks again whether to keep or to remove a loaded agent"), "plain"
        )

    def begin(self, done: Callable[[], None] = lambda: None) -> None:
        """End the session, then call ``done``.

        Neither when there is a question and the person cancels.
        """
        if self.has_question:
            self._ask(done)
        else:
            self._end(
                done, remove=self._attachment.situation.can.brought and self._remembered != _LEAVE
            )

    def _ask(self, done: Callable[[], None]) -> None:
        if self._window.findChild(LeaveDialog) is not None:
            return
        snapshot = self._attachment.snapshot
        dialog = LeaveDialog(snapshot.target.name if snapshot else "the process", self._window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.chosen.connect(
            lambda remove, always: self._chosen(done, remove=remove, always=always)
        )
        dialog.open()

    def _chosen(self, done: Callable[[], None], *, remove: bool, always: bool) -> None:
        if always:
            self._settings.setValue(DETACH_KEY, _REMOVE if remove else _LEAVE)
        self._end(done, remove=remove)

    def _end(self, done: Callable[[], None], *, remove: bool) -> None:
        self._attachment.detach(remove=remove)
        done()

    @property
    def _remembered(self) -> str:
        return str(self._settings.value(DETACH_KEY, ""))
