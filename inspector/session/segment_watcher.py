"""The reading part of a live session's pump: counters, signs of life, snapshots.

Owned by the pump thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from inspector.attach.linux import pid_in
from inspector.attach.procfs import process_stat
from inspector.attach.segment import Segment
from inspector.model.build import Moment, clock_of, table_snapshot
from inspector.model.clock import NANOS_PER_SEC
from inspector.model.limits import Limit
from inspector.model.raw import RawState, RawVitals, text_of
from inspector.model.snapshot import Snapshot, TargetState
from inspector.session.control_link import ControlLink
from inspector.session.hang import HangStacks
from inspector.session.liveness import Liveness, Signs, Verdict
from inspector.session.native_frames import NativeFrames
from inspector.session.news import News, renewed
from inspector.session.postmortem import snapshot_of_dead
from inspector.session.process_limits import process_limits
from inspector.session.source import SegmentSource
from inspector.session.steady_clock import SteadyClock
from inspector.session.target import target_of

_SHARE_SECS: Final = 1.0
"""The window over which the tool's own cost is averaged."""
_ASK_SECS: Final = 1.0
"""How often a hung target is asked what its interpreter does."""
_COUNT_SECS: Final = 1.0
"""How often the target's file descriptors are counted."""
_PYTHONS: Final = ("CPython", "PyPy")


class SegmentWatcher:
    """Reads one segment and judges its target."""

    def __init__(
        self,
        segment: Segment,
        link: ControlLink,
        count_lost_events: Callable[[Iterable[int]], int],
        clock: SteadyClock | None = None,
    ) -> None:
        """Nothing is read yet. ``clock`` gives the times of readings.

        ``count_lost_events`` takes the number of lost events of each ring, and returns how many
        were never read.
        """
        self.verdict = Verdict(TargetState.LIVE)
        self.has_answered = False
        """The interpreter, if there is one, has answered since we look; any thread may ask."""
        self._first_answer_ticks: int | None = None
        self._segment = segment
        self._link = link
        self._count_lost_events = count_lost_events
        pid = pid_in(segment.path) or int(segment.header().pid)
        self._source = SegmentSource(segment, NativeFrames(pid))
        self._news = News()
        self._latest: Snapshot | None = None
        self._beside: tuple[object, ...] = ()
        self._liveness = Liveness()
        self._clock = clock or SteadyClock()
        self._state_since = self.now()
        self._serial = 0
        self._cost_share = float("nan")
        self._asked_at = 0.0
        self._counted_at = -_COUNT_SECS
        self._process_limits: tuple[Limit, ...] = ()
        self._cost_from: tuple[float, float] | None = None
        self._hang = HangStacks(pid)

    def now(self) -> float:
        """The time of a reading that is made now, seconds since the Unix epoch."""
        return self._clock.now()

    def vitals(self) -> tuple[RawVitals, bool]:
        """Header and types, valid until the next reading, and whether a counter has changed."""
        raw = self._source.vitals()
        return raw, self._news.in_counters(raw)

    def probe(self, at: float) -> bool:
        """Judge how the target is doing; true when its state or reason changed.

        Raises ``SegmentError``.
        """
        # before the header: an ending is written before the lock is released
        has_lock = self._segment.is_locked()
        raw = self._source.vitals()
        signs = self._signs(raw, at, has_lock=has_lock)
        verdict = self._liveness.judge(signs)
        self._note_answer(signs)
        self._measure_cost(raw, at)
        if verdict.state is not self.verdict.state:
            self._state_since = self.now()
        self._ask_why(verdict, at)
        self._hang.note(at, is_hung=verdict.state is TargetState.HUNG)
        has_changed = verdict != self.verdict
        self.verdict = verdict
        return has_changed

    def snapshot(self, at: float) -> tuple[Snapshot, bool]:
        """The whole state now, and whether it differs from the state before.

        For a dead target it is its last state. Raises ``SegmentError``.
        """
        if not self.verdict.is_final and self._serial == 0:
            self.probe(at)
        raw = self._source.state() if self.verdict.is_final else self._source.table()
        overwritten = self._count_lost_events(self._source.events_gone())
        self._serial += 1
        if isinstance(raw, RawState):
            dead = snapshot_of_dead(
                self._source, raw, serial=self._serial, overwritten_events=overwritten
            )
            return dead, True
        moment = Moment(
            serial=self._serial,
            taken_at=self.now(),
            target=target_of(raw.vitals, self.verdict, self._state_since),
            cost_share=self._cost_share,
            limits=self._limits(at),
            overwritten_events=overwritten,
        )
        before, self._beside = self._beside, (moment.target, moment.limits, overwritten)
        has_changed = self._news.in_state(raw) or before != self._beside
        if self._latest is None or has_changed:
            self._latest = table_snapshot(raw, self._source.names, self._source.codes, moment)
        else:
            self._latest = renewed(self._latest, raw, moment)
        shown = self._hang.added_to(self._latest)
        return shown, has_changed or shown is not self._latest

    def lost(self, reason: str, latest: Snapshot | None) -> Snapshot | None:
        """``latest`` as the last snapshot: the segment cannot be read any more."""
        self.verdict = Verdict(TargetState.POST_MORTEM, reason)
        if latest is None:
            return None
        target = replace(
            latest.target, state=TargetState.POST_MORTEM, reason=reason, state_since=self.now()
        )
        return replace(latest, serial=latest.serial + 1, target=target)

    def _limits(self, at: float) -> tuple[Limit, ...]:
        """The system's limits for the process.

        Counting costs a list of names, so it is done about once a second.
        """
        if at - self._counted_at >= _COUNT_SECS:
            self._counted_at = at
            self._process_limits = process_limits(self._segment.header().pid)
        return self._process_limits

    def _ask_why(self, verdict: Verdict, at: float) -> None:
        """The native thread of a target whose interpreter hangs can name the interpreter's work."""
        if verdict.state is not TargetState.HUNG:
            self._link.calm()
        elif at - self._asked_at > _ASK_SECS:
            self._asked_at = at
            self._link.look()

    def _signs(self, raw: RawVitals, at: float, *, has_lock: bool) -> Signs:
        stat = process_stat(raw.number("pid"))
        is_same = stat is not None and stat.start_time == raw.number("start_time")
        silent_secs = clock_of(raw).span(
            raw.number("interpreter_ticks"), raw.number("heartbeat_ticks")
        )
        return Signs(
            at=at,
            has_lock=has_lock,
            ending=raw.number("ending"),
            process_state=stat.state if stat is not None and is_same else "",
            heartbeat_ticks=raw.number("heartbeat_ticks"),
            interpreter_ticks=raw.number("interpreter_ticks"),
            interpreter_silent_secs=silent_secs,
            is_watched=self._link.is_registered,
            has_interpreter=text_of(raw.header["runtime"][0]).startswith(_PYTHONS),
            busy=self._link.busy,
        )

    def _note_answer(self, signs: Signs) -> None:
        if self._first_answer_ticks is None:
            self._first_answer_ticks = signs.interpreter_ticks
        if not signs.has_interpreter or signs.interpreter_ticks != self._first_answer_ticks:
            self.has_answered = True

    def _measure_cost(self, raw: RawVitals, at: float) -> None:
        cpu_secs = raw.number("agent_cpu_nanos") / NANOS_PER_SEC
        if self._cost_from is None:
            self._cost_from = at, cpu_secs
        elif at - self._cost_from[0] >= _SHARE_SECS:
            self._cost_share = max(cpu_secs - self._cost_from[1], 0.0) / (at - self._cost_from[0])
            self._cost_from = at, cpu_secs
