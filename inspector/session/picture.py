"""The session over a screenshot: its snapshot, and the state of the window that it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from inspector.model.events import EventBatch, EventCursor
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.window_state import WindowState
from inspector.session.fixed_session import FixedSession

REASON: Final = "this is a recording: there is no process behind it"


class PictureSession(FixedSession):
    """A ``Session`` that cannot act, and a ``Pictured``."""

    def __init__(self, snapshot: Snapshot, state: WindowState | None = None) -> None:
        """Show a saved snapshot; ``state``: the window's, ``None`` in older files.

        Its target becomes *recorded*; the reason says how it was doing then, unless it was well.
        """
        self.state = state
        events = state.events if state is not None else ()
        super().__init__(
            _recorded(snapshot, state.trouble if state is not None else ""),
            reason=REASON,
            events=EventBatch(state.events, EventCursor()) if state and len(events) else None,
        )


def _recorded(snapshot: Snapshot, trouble: str) -> Snapshot:
    target = snapshot.target
    reason = target.reason
    if target.state not in (TargetState.RECORDED, TargetState.LIVE):
        then = f"when it was saved the target was {target.state}"
        reason = f"{then}: {reason}" if reason else then
    target = replace(
        target,
        state=TargetState.RECORDED,
        state_then=target.state_then or str(target.state),
        reason="; ".join(filter(None, (reason, trouble))),
        state_since=snapshot.taken_at,
    )
    return replace(snapshot, target=target)
