"""Asks, before a picture, a session or a part of the window is written, what stays in it.

GUI thread; the snapshot is searched on another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from inspector.model.redaction import NOTHING_KEPT, Kept, LeftOut, Redactor
from inspector.model.snapshot import Snapshot
from inspector.session.private_facts import private_facts
from inspector.ui.kit.labels import head_label, plain_label, quiet_label, set_flag
from inspector.ui.session.bridge import BackgroundRunner

CHOICE: Final = "preview"
SKIP: Final = "skip"
PICTURE: Final = "a picture with its data"
SESSION: Final = "a session file"
PART: Final = "a part of the window"
NOTHING: Final = "Nothing private was found in what is known now."
EXAMPLES: Final = 3
LONGEST_EXAMPLE: Final = 60


class PreviewDialog(QDialog):
    """Lists the private parts that are left out; a ticked part is kept."""

    chosen = Signal(object, bool)
    """``Kept``, and whether to ask no more."""

    def __init__(self, what: str, parts: Sequence[LeftOut], parent: QWidget | None = None) -> None:
        """``what`` is about to be written."""
        super().__init__(parent)
        self.setWindowTitle("Private parts")
        self.setMinimumWidth(520)
        self.keep = {
            each.part.key: QCheckBox(f"Keep {each.part.title} ({len(each.texts):,})")
            for each in parts
        }
        self.always = QCheckBox("Leave all of them out from now on, without asking")
        self.save = QPushButton("Save")
        self.cancel = QPushButton("Cancel")
        set_flag(self.save, "primary", on=True)
        self.save.setDefault(True)
        self.save.clicked.connect(self._choose)
        self.cancel.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(head_label(f"Save {what}"))
        about = "These parts are left out of it, unless they are ticked:" if parts else NOTHING
        layout.addWidget(plain_label(about))
        for each in parts:
            layout.addWidget(self.keep[each.part.key])
            layout.addWidget(quiet_label(_examples(each)))
        layout.addWidget(self.always)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.save)
        buttons.addWidget(self.cancel)
        layout.addLayout(buttons)

    def _choose(self) -> None:
        kept = Kept(frozenset(key for key, box in self.keep.items() if box.isChecked()))
        self.accept()
        self.chosen.emit(kept, self.always.isChecked())


def _examples(part: LeftOut) -> str:
    texts = [
        text if len(text) <= LONGEST_EXAMPLE else f"{text[: LONGEST_EXAMPLE - 1]}…"
        for text in part.texts[:EXAMPLES]
    ]
    more = len(part.texts) - len(texts)
    return f"    {', '.join(texts)}{f', and {more:,} more' if more else ''}"


class SendPreview(QObject):
    """Asks, unless the person wanted no more questions; then all private parts are left out."""

    def __init__(self, settings: QSettings, runner: BackgroundRunner, window: QWidget) -> None:
        """Remembers the answer in ``settings``; asks above ``window``."""
        super().__init__(window)
        self._settings, self._runner, self._window = settings, runner, window

    def ask(
        self,
        what: str,
        snapshot: Snapshot,
        go: Callable[[Kept], None],
        cancelled: Callable[[], None] = lambda: None,
    ) -> None:
        """Call ``go`` with the parts that stay, or ``cancelled``."""
        if self._settings.value(CHOICE) == SKIP:
            go(NOTHING_KEPT)
            return
        if self._window.findChild(PreviewDialog) is not None:
            cancelled()
            return

        def find() -> tuple[LeftOut, ...]:
            redactor = Redactor(private_facts(snapshot.target.pid))
            redactor.snapshot(snapshot)
            return redactor.left_out()

        self._runner.run(
            find,
            lambda parts: self._open(what, parts, go, cancelled),
            lambda _error: go(NOTHING_KEPT),  # writing the file fails too, and says why
        )

    def forget(self) -> None:
        """Ask again from now on."""
        self._settings.remove(CHOICE)

    def _open(
        self,
        what: str,
        parts: Sequence[LeftOut],
        go: Callable[[Kept], None],
        cancelled: Callable[[], None],
    ) -> None:
        dialog = PreviewDialog(what, parts, self._window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.rejected.connect(cancelled)
        dialog.chosen.connect(lambda kept, always: self._chosen(go, kept, always=always))
        dialog.open()

    def _chosen(self, go: Callable[[Kept], None], kept: Kept, *, always: bool) -> None:
        if always:
            self._settings.setValue(CHOICE, SKIP)
        go(kept)
