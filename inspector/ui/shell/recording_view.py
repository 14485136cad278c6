"""The recording in the toolbar: its time and size in red, then *Open* for its file. GUI thread."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QToolButton

from inspector.model.wording import size
from inspector.ui.kit.banner import Banner
from inspector.ui.kit.labels import set_flag
from inspector.ui.session.recording import Recording
from inspector.ui.shell.new_window import open_another

TICK_MILLIS: Final = 1000


class RecordingView(QObject):
    """Keeps the words on the button true while a recording runs."""

    def __init__(self, recording: Recording, button: QToolButton, result: Banner) -> None:
        """``button`` switches the recording; ``result`` tells where it is."""
        super().__init__(button)
        self._recording = recording
        self._button = button
        self._result = result
        self._timer = QTimer(self, interval=TICK_MILLIS)
        self._timer.timeout.connect(self.show_progress)
        recording.is_on_changed.connect(self._switched)
        recording.saved.connect(self._saved)
        # a button takes the words of its action whenever that changes
        button.defaultAction().changed.connect(self._keep_words)

    def show_progress(self) -> None:
        """Time and size of the file that is being written."""
        secs = int(self._recording.secs)
        text = f"{secs // 60}:{secs % 60:02} · {size(self._recording.size_bytes)}"
        self._button.setText(text)
        self._button.setAccessibleName(f"Recording, {text}")

    def _keep_words(self) -> None:
        if self._timer.isActive():
            self.show_progress()

    def _switched(self, is_on: bool) -> None:
        set_flag(self._button, "recording", on=is_on)
        if is_on:
            self._timer.start()
            self.show_progress()
        else:
            self._timer.stop()
            action = self._button.defaultAction()
            self._button.setText(action.iconText())
            self._button.setAccessibleName(action.text())

    def _saved(self, path: Path, said: str, tone: str) -> None:
        self._result.say(said, tone=tone, button="Open", action=lambda: self._open(path))

    def _open(self, path: Path) -> None:
        if not open_another(path):
            self._result.say("No other window could be started", tone="alarm")
