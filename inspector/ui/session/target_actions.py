"""A person's acts on the target through the window: collect, close, drain, take back.

Each needs arming; a signal brings its answer.

Apart from the attachment, which knows the session, and from the widgets, which only listen. All on
the GUI thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from inspector.session.protocol import CANCELLING, CloseAnswer, DrainReport, GcReport
from inspector.ui.session.answer_texts import close_sentence, drain_sentence, gc_sentence
from inspector.ui.session.attachment import Attachment
from inspector.vocabulary import handle_text


class TargetActions(QObject):
    """Asks the session of the attachment; without a session, or disarmed, does nothing."""

    collected = Signal(object)
    """``GcReport``."""
    previewed = Signal(object)
    """``tuple[CloseAnswer, ...]``."""
    closed = Signal(object)
    """``tuple[CloseAnswer, ...]``."""
    close_failed = Signal(str)
    """Preview or close failed: why, a sentence."""
    acted = Signal()
    """Something was done to the target, or was refused: the audit log has grown."""
    told = Signal(str, str)
    """A sentence and its tone (``plain``, ``waiting`` or ``alarm``) for the result bar."""

    def __init__(self, attachment: Attachment, parent: QObject | None = None) -> None:
        """Acts on the session of ``attachment``."""
        super().__init__(parent)
        self._attachment = attachment

    def force_gc(self) -> None:
        """Collect garbage in the target; the answer comes by ``collected``."""
        if self._armed():
            self.told.emit("Collecting garbage in the target …", "plain")
            self._attachment.ask(
                lambda session: session.force_gc(),
                self._collected,
                on_error=self._failed,
                busy=True,
            )

    def preview_close(self, handles: Sequence[int]) -> None:
        """Ask for the outcome of a close; the answer comes by ``previewed``."""
        wanted = tuple(handles)
        self._attachment.ask(
            lambda session: session.preview_close(wanted),
            self.previewed.emit,
            on_error=self.close_failed.emit,
        )

    def close_handles(
        self, handles: Sequence[int], *, although_held: bool, deadline_secs: float | None = None
    ) -> None:
        """Close resources in that order; the answer comes by ``closed``.

        A close that has not run by the deadline is withdrawn.
        """
        if self._armed():
            wanted = tuple(handles)
            self._attachment.ask(
                lambda session: session.close_handles(
                    wanted, although_held=although_held, deadline_secs=deadline_secs
                ),
                self._closed,
                on_error=self._close_failed,
                busy=True,
            )

    def drain(self) -> None:
        """Run the closes that nothing stands in the way of any more."""
        if self._armed():
            self._attachment.ask(
                lambda session: session.drain(), self._drained, on_error=self._failed, busy=True
            )

    def cancel_close(self, handle: int) -> None:
        """Take a pending close back."""
        if self._armed():
            self._attachment.ask(
                lambda session: session.cancel_close(handle),
                lambda is_taken_back: self._cancelled(handle, is_taken_back),
                on_error=self._failed,
                busy=True,
            )

    def _armed(self) -> bool:
        return self._attachment.situation.armed

    def _collected(self, report: GcReport) -> None:
        self.told.emit(gc_sentence(report), "plain")
        self.collected.emit(report)
        self.acted.emit()

    def _closed(self, answers: tuple[CloseAnswer, ...]) -> None:
        self.closed.emit(answers)
        self.told.emit(
            close_sentence(answers),
            "alarm" if any(a.outcome == "failed" for a in answers) else "plain",
        )
        self.acted.emit()

    def _close_failed(self, why: str) -> None:
        self.close_failed.emit(why)
        self.acted.emit()

    def _drained(self, report: DrainReport) -> None:
        self.told.emit(drain_sentence(report), "plain")
        self.acted.emit()

    def _cancelled(self, handle: int, is_taken_back: bool) -> None:
        self.told.emit(
            f"The close of {handle_text(handle)} was taken back: it stays open"
            if is_taken_back
            else f"The close of {handle_text(handle)}: {CANCELLING}",
            "plain",
        )
        self.acted.emit()

    def _failed(self, _why: str) -> None:
        self.acted.emit()
