"""The actions that are possible in a window now. Any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.session.protocol import Capabilities

NO_SESSION: Final = Capabilities(act=False, reason="attach to a process first")


@dataclass(frozen=True, slots=True)
class Situation:
    """The actions possible now; actions are enabled by it."""

    attached: bool = False
    connecting: bool = False
    answers: bool = False
    """The target is live or hung, so it can still change."""
    hung: bool = False
    can: Capabilities = NO_SESSION
    armed: bool = False
    paused: bool = False
    busy: bool = False
    """An action runs in the target."""
    has_snapshot: bool = False
