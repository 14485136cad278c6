"""Records the session that the window shows into a file.

GUI thread; the disk is written by the recorder's thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from inspector.model.caps import Use
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.snapshot import Snapshot
from inspector.model.wording import file_name, plural, size
from inspector.session.protocol import Session
from inspector.session.recorder import Recorded, SessionRecorder
from inspector.ui.session.answer_texts import error_sentence
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.connector import Connector

Ask = Callable[[Snapshot, Callable[[Kept], None], Callable[[], None]], None]
"""Given a snapshot, calls the first function with the parts that stay, or the second."""


class Recording(QObject):
    """At most one at a time; it ends with the session."""

    told = Signal(str, str)
    """A sentence and its tone for the result bar."""
    is_on_changed = Signal(bool)
    """A recording began or ended."""
    saved = Signal(object, str, str)
    """``Path`` of a recording that ended, a sentence about it, and the sentence's tone."""

    def __init__(
        self,
        attachment: Attachment,
        connector: Connector,
        runner: BackgroundRunner,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is recorded. ``clock`` gives seconds."""
        super().__init__(parent)
        self._attachment = attachment
        self._connector = connector
        self._runner = runner
        self._recorder: SessionRecorder | None = None
        self._wanted = False
        self._clock, self._began_at = clock, 0.0
        self.ask: Ask = lambda _snapshot, go, _cancelled: go(NOTHING_KEPT)
        """Asks a person which private parts stay; the window sets it."""
        attachment.began.connect(self.stop)
        attachment.finished.connect(self.stop)

    @property
    def is_on(self) -> bool:
        """A file is being written."""
        return self._recorder is not None

    @property
    def secs(self) -> float:
        """How long the recording runs; 0 while nothing is recorded."""
        return self._clock() - self._began_at if self._recorder is not None else 0.0

    @property
    def size_bytes(self) -> int:
        """Bytes in the file so far."""
        return self._recorder.recorded.size_bytes if self._recorder is not None else 0

    def uses(self) -> tuple[Use, ...]:
        """The amounts that wait for the disk; none while nothing is recorded."""
        return self._recorder.uses() if self._recorder is not None else ()

    def set_on(self, wanted: bool) -> None:
        """Begin, or stop and save."""
        if wanted and not self._wanted:
            self._start()
        elif not wanted:
            self.stop()

    def mark(self, at: float, name: str) -> None:
        """A mark was set: it belongs into the file."""
        if self._recorder is not None:
            self._recorder.mark(at, name)

    def stop(self) -> None:
        """Write the waiting data; the result bar shows the outcome."""
        self._wanted = False
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            self._attachment.set_recorded(False)
            self.is_on_changed.emit(False)
            self._runner.run(
                recorder.stop,
                self._saved,
                lambda error: self.told.emit(error_sentence(error), "alarm"),
            )

    def _start(self) -> None:
        session, snapshot = self._attachment.session, self._attachment.snapshot
        if session is None or snapshot is None:
            return
        self._wanted = True
        self.ask(snapshot, lambda kept: self._record(session, snapshot, kept), self._cancelled)

    def _record(self, session: Session, snapshot: Snapshot, kept: Kept) -> None:
        if not self._wanted or session is not self._attachment.session:
            self._cancelled()
            return
        path = self._connector.screenshot_folder() / file_name(snapshot.target.name, ".arcs")
        self._runner.run(
            lambda: SessionRecorder(session, path, kept=kept),
            lambda made: self._began(made, path),
            self._failed,
        )

    def _cancelled(self) -> None:
        self._wanted = False
        self.is_on_changed.emit(False)

    def _began(self, recorder: SessionRecorder, path: Path) -> None:
        self._recorder, self._began_at = recorder, self._clock()
        if not self._wanted:  # it was stopped before it began
            self.stop()
            return
        self._attachment.set_recorded(True)
        self.told.emit(f"Recording to {path} …", "plain")
        self.is_on_changed.emit(True)

    def _failed(self, error: BaseException) -> None:
        self._wanted = False
        self.told.emit(error_sentence(error), "alarm")
        self.is_on_changed.emit(False)

    def _saved(self, recorded: Recorded) -> None:
        self._connector.remember(recorded.path)
        left_out = f", {recorded.left_out:,} left out" if recorded.left_out else ""
        said = (
            f"Recorded {plural(recorded.snapshots, 'snapshot')}{left_out} in "
            f"{size(recorded.size_bytes)}: {recorded.path}"
            f"{f'; {recorded.left_out_parts}' if recorded.left_out_parts else ''}"
        )
        said = f"{recorded.failure}. {said}" if recorded.failure else said
        tone = "alarm" if recorded.failure else "plain"
        self.told.emit(said, tone)
        self.saved.emit(recorded.path, said, tone)
