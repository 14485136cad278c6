"""A target's condition: live, hung, ended or lost, and the reason.

The lock that a target holds for life is the proof of being alive, not its pid. Movement inside
shows the rest: the heartbeat of its native thread, and the ticks at which its interpreter last
answered. Both are judged by whether they change while we look, so no clock of one process is
compared with that of another. Owned by the session's pump thread; no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inspector.model.snapshot import TargetState
from inspector.wire.schema import Ending

HEARTBEAT_PATIENCE_SECS: Final = 1.5
INTERPRETER_PATIENCE_SECS: Final = 1.5
"""The agent is asked every 250 ms; one that does not answer for this long is called hung."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The signs of life of the target at one moment."""

    at: float
    """Monotonic seconds of the viewer."""
    has_lock: bool
    """The target holds its segment's lock."""
    ending: int
    """``Ending`` of the header."""
    process_state: str
    """Letter of ``/proc/PID/stat``; ``""`` when it cannot be read or the pid is another
    process's."""
    heartbeat_ticks: int
    interpreter_ticks: int
    interpreter_silent_secs: float
    """Heartbeat minus the interpreter's last answer."""
    is_watched: bool
    """We are registered as a viewer, so the target's threads are awake."""
    has_interpreter: bool
    busy: str = ""
    """What the interpreter does for us, if it said so: ``gc``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state, its reason, and whether anything can still change.

    The reason is a sentence without a full stop.
    """

    state: TargetState
    reason: str = ""

    @property
    def is_final(self) -> bool:
        """The target will not write again."""
        return self.state in (TargetState.ENDED, TargetState.POST_MORTEM)


class _Movement:
    """Since when a number of the target has not changed."""

    def __init__(self) -> None:
        self._value = -1
        self._since = 0.0

    def still_secs(self, value: int, at: float) -> float:
        if value != self._value:
            self._value, self._since = value, at
        return at - self._since


class Liveness:
    """Judges one target, sign by sign."""

    def __init__(self) -> None:
        """Nothing seen yet; patience begins when we are registered as a viewer."""
        self._heartbeat = _Movement()
        self._interpreter = _Movement()
        self._watched_since: float | None = None

    def judge(self, signs: Signs) -> Verdict:
        """The state now."""
        if not signs.has_lock or signs.ending != Ending.NOT_YET:
            # a process whose agent was stopped keeps its table, and so the lock
            return _ended(signs)
        watched_secs = self._watched_secs(signs)
        heart_still = min(self._heartbeat.still_secs(signs.heartbeat_ticks, signs.at), watched_secs)
        interpreter_still = min(
            self._interpreter.still_secs(signs.interpreter_ticks, signs.at), watched_secs
        )
        if signs.process_state in ("T", "t"):
            return Verdict(
                TargetState.HUNG,
                "it is stopped by a signal"
                if signs.process_state == "T"
                else "a debugger has stopped it",
            )
        if heart_still > HEARTBEAT_PATIENCE_SECS:
            return Verdict(
                TargetState.HUNG, (f"its native thread has not moved for {heart_still:.0f} s")
            )
        if signs.has_interpreter and interpreter_still > INTERPRETER_PATIENCE_SECS:
            return Verdict(TargetState.HUNG, _interpreter_words(signs, interpreter_still))
        return Verdict(TargetState.LIVE)

    def _watched_secs(self, signs: Signs) -> float:
        """Since we were first registered; a lost connection does not restart the patience."""
        if self._watched_since is None:
            if not signs.is_watched:
                return 0.0
            self._watched_since = signs.at
        return signs.at - self._watched_since


def _interpreter_words(signs: Signs, still_secs: float) -> str:
    silent_secs = (
        signs.interpreter_silent_secs if signs.interpreter_silent_secs >= still_secs else still_secs
    )
    doing = f" while it runs the {signs.busy} that was asked for" if signs.busy else ""
    return f"the interpreter has not answered for {silent_secs:.0f} s{doing}"


def _ended(signs: Signs) -> Verdict:
    if signs.ending == Ending.EXITED:
        return Verdict(TargetState.ENDED, "the process exited")
    if signs.ending == Ending.STOPPED:
        return Verdict(TargetState.ENDED, "its agent was stopped")
    if signs.process_state and signs.process_state not in "ZX":
        return Verdict(TargetState.POST_MORTEM, "the process runs another program now")
    return Verdict(TargetState.POST_MORTEM, "it was killed or crashed")
