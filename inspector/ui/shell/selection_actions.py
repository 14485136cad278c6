"""The objects of the actions.

They are the selected handles, the pending handles among them, and the filter's handles.

GUI thread.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject

from inspector.model.states import pending
from inspector.session.close_plan import found_by, left_out_words, unclosable_words
from inspector.ui.panes.handles.pane import HandlesPane
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.target_actions import TargetActions
from inspector.ui.shell.actions import Actions, Chosen
from inspector.ui.shell.closing import Closing


class SelectionActions(QObject):
    """Enables actions by the selection of ``handles``, and starts actions that need a selection."""

    def __init__(
        self,
        handles: HandlesPane,
        attachment: Attachment,
        commands: Actions,
        target_actions: TargetActions,
        closing: Closing,
    ) -> None:
        """Belongs to ``handles``."""
        super().__init__(handles)
        self._handles = handles
        self._attachment = attachment
        self._commands = commands
        self._target_actions = target_actions
        self._closing = closing

    def apply(self) -> None:
        """Enable the actions possible now."""
        shown = self._attachment.shown
        chosen = Chosen(
            handles=len(self._handles.table.chosen),
            pending=len(self._pending()),
            unclosable=self._unclosable(),
            pending_anywhere=shown is not None and shown.vitals.pending > 0,
            filtered=bool(self._handles.query.filter.terms),
        )
        self._commands.apply(self._attachment.situation, chosen)

    def close(self) -> None:
        """Ask about closing the selected objects."""
        self._closing.begin(self._handles.table.chosen, self._attachment.shown)

    def close_shown(self) -> None:
        """Ask about closing all that the filter shows."""
        snapshot = self._attachment.shown
        if snapshot is None:
            return
        wanted = self._handles.query.filter
        found, left_out = found_by(wanted, snapshot), left_out_words(wanted, snapshot)
        if found:
            self._closing.begin(found, snapshot, left_out=left_out)
        else:
            self._target_actions.told.emit(
                f"Nothing shown can be closed: {left_out or 'no row is shown'}", "plain"
            )

    def take_back(self) -> None:
        """Take the pending closes of the selected objects back."""
        for handle in self._pending():
            self._target_actions.cancel_close(handle)

    def _unclosable(self) -> str:
        chosen, snapshot = self._handles.table.chosen, self._attachment.shown
        if not chosen or snapshot is None or not self._attachment.situation.armed:
            return ""
        return unclosable_words(snapshot, chosen)

    def _pending(self) -> list[int]:
        """Selected handles with a pending close, in the snapshot that is shown."""
        chosen, snapshot = self._handles.table.chosen, self._attachment.shown
        if not chosen or snapshot is None:
            return []
        ids = snapshot.handles.ids[pending(snapshot.handles)]
        return [handle for handle in chosen if np.any(ids == np.uint64(handle))]
