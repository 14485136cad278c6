"""A session over a snapshot from a file. Any thread."""

from __future__ import annotations

from dataclasses import replace

from inspector.model.snapshot import Snapshot, TargetState
from inspector.session.fixed_session import StaticSession


def recorded_session(snapshot: Snapshot) -> StaticSession:
    """Show a saved snapshot. Its target becomes *recorded*; the reason says how it was doing then."""
    target = snapshot.target
    if target.state is not TargetState.RECORDED:
        then = f"when it was saved the target was {target.state}"
        reason = f"{then}: {target.reason}" if target.reason else then
        target = replace(target, state=TargetState.RECORDED, reason=reason, state_since=snapshot.taken_at)
    return StaticSession(replace(snapshot, target=target), reason="this is a recording: there is no process behind it")
