"""A session with a running process.

The pump thread reads counters and snapshots out of the segment, judges the target's condition, and
informs the listeners. It asks the target nothing, so it runs on while the target hangs. Commands
run on threads of their own, each on its own connection: an abandoned command hangs up, and so does
not run later.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from inspector.attach.discovery import socket_path
from inspector.attach.linux import pid_in
from inspector.attach.segment import Segment
from inspector.errors import ControlError, SegmentError
from inspector.model.build import build_vitals
from inspector.model.events import EventBatch, EventCursor
from inspector.model.findings.leads import Coverage
from inspector.model.holders import CycleReport, NativeHolders, Retainers
from inspector.model.pending import is_close_of_adapter
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.stack_reading import StackReading
from inspector.session.adapter_answers import adapter_report
from inspector.session.answers import (
    audit_log,
    close_answers,
    drain_report,
    gc_report,
    level_in,
    was_taken_back,
)
from inspector.session.batches import ask_in_batches
from inspector.session.control_link import ControlLink, Wishes
from inspector.session.declaring import declare
from inspector.session.events import EventReader
from inspector.session.holder_answers import native_holders_in
from inspector.session.leads import coverage_of
from inspector.session.leaving import take_out
from inspector.session.memory_answers import cycles_of, retainers_of
from inspector.session.pace import SNAPSHOT_SECS, Pace
from inspector.session.protocol import (
    AuditLog,
    Capabilities,
    CloseAnswer,
    DrainReport,
    GcReport,
    SessionListener,
)
from inspector.session.questions import Questions
from inspector.session.searching import Search
from inspector.session.segment_watcher import SegmentWatcher
from inspector.session.subscribers import Subscribers
from inspector.session.thread_looks import read_stacks
from inspector.vocabulary import Level
from inspector.wire.declaration_files import Declared
from inspector.wire.messages import Answer

_COMMANDS_AT_ONCE: Final = 2
AS_THE_PROCESS: Final = 255
"""Level of a type that has none of its own."""
MILLIS_PER_SEC: Final = 1000
_SHORTEST_SAMPLE_MILLIS: Final = 16

Result = TypeVar("Result")


class LiveSession:
    """A ``Session`` with a process. Made by ``attach``; ``end`` it."""

    def __init__(
        self,
        segment_path: Path,
        *,
        level: Level | None = Level.HISTORY,
        on_end: Callable[[], None] | None = None,
        declared: Declared | None = None,
        brought: bool = False,
    ) -> None:
        """Open the segment and begin. Raises ``SegmentError``.

        ``level`` is the target's recording level while we look, ``None``: unchanged. ``on_end``
        runs once, on the pump thread, at the end. ``declared`` are declarations for the target
        beside its own; ``None``: it is not even asked. ``brought``: this viewer brought the agent
        in.
        """
        self._segment = Segment(segment_path)
        self._segment_path, self._brought = segment_path, brought
        self._pid = _pid_of(self._segment)
        self._events = EventReader(segment_path)
        control = socket_path(segment_path)
        self._target = Questions(control, self._pid, self._is_over)
        wishes = Wishes(
            level=None if level is None else int(level), interval_ms=int(SNAPSHOT_SECS * 1000)
        )
        self._link = ControlLink(control, pid=self._pid, wishes=wishes)
        self._watcher = SegmentWatcher(self._segment, self._link, self._events.count_lost)
        self._subscribers = Subscribers()
        self._commands = ThreadPoolExecutor(_COMMANDS_AT_ONCE, thread_name_prefix="command")
        self._on_end = on_end
        self._latest: Snapshot | None = None
        self._pace = Pace()
        self._wake = threading.Condition()
        self._is_ending = False
        self._pump = threading.Thread(target=self._run, name="pump", daemon=True)
        try:
            self._notices = self._submit(lambda: declare(self._target, declared))
            self._link.start()
            self._pump.start()
        except BaseException:  # Ctrl+C: the interpreter's end would wait for the question
            self.end()
            self._segment.close()
            raise

    @property
    def latest(self) -> Snapshot | None:
        """Newest snapshot; ``None`` before the first."""
        return self._latest

    @property
    def capabilities(self) -> Capabilities:
        """Acting needs a target that runs and takes us as a viewer."""
        latest = self._latest
        if latest is not None and latest.target.state in (
            TargetState.ENDED,
            TargetState.POST_MORTEM,
        ):
            return Capabilities(act=False, reason=f"the process is gone: {latest.target.reason}")
        if not self._link.is_registered:
            if latest is not None and latest.target.state is TargetState.HUNG:
                return Capabilities(
                    act=False,
                    reason=f"the target is hung: {latest.target.reason}",
                    brought=self._brought,
                )
            return Capabilities(
                act=False,
                reason=self._link.refusal or "the target has not answered yet",
                brought=self._brought,
            )
        return Capabilities(act=True, levels=True, brought=self._brought)

    @property
    def is_refused(self) -> bool:
        """Whether two attempts failed: a socket about to appear is there at the second."""
        return self._link.failures > 1

    @property
    def has_answered(self) -> bool:
        """Whether the target's interpreter has answered: *live* is then more than a guess."""
        return self._watcher.has_answered

    def subscribe(self, listener: SessionListener) -> Callable[[], None]:
        """Listen to everything from now on; the result ends that."""
        return self._subscribers.add(listener)

    def set_interval(self, *, snapshot_secs: float, vitals_secs: float) -> None:
        """How often snapshots and counters are read. The target's sampler follows the snapshots."""
        with self._wake:
            self._pace.wish(snapshot_secs=snapshot_secs, vitals_secs=vitals_secs)
            self._wake.notify_all()
        self._link.set_interval(max(int(min(snapshot_secs, 60.0) * 1000), _SHORTEST_SAMPLE_MILLIS))

    def set_level(self, level: Level) -> Future[Level]:
        """Set the target's recording level; the result is the level in force."""
        return _mapped(self._link.set_level(int(level)), lambda answer: Level(level_in(answer)))

    def force_gc(self) -> Future[GcReport]:
        """Collect garbage in the target.

        Fails with ``TargetBusyError`` when the interpreter does not answer in time.
        """
        return self._submit(lambda: gc_report(self._target.ask("gc")))

    def preview_close(self, handles: Sequence[int]) -> Future[tuple[CloseAnswer, ...]]:
        """The outcome that ``close`` would have. Changes nothing."""
        wanted = list(handles)
        return self._submit(
            lambda: ask_in_batches(
                lambda some: close_answers(self._target.ask("preview", handles=some)), wanted
            )
        )

    def close_handles(
        self,
        handles: Sequence[int],
        *,
        although_held: bool = False,
        deadline_secs: float | None = None,
    ) -> Future[tuple[CloseAnswer, ...]]:
        """Close resources; see ``Session``."""
        wanted, wish = (
            list(handles),
            {"although_held": although_held, "withdraw_after_ms": _millis(deadline_secs)},
        )
        return self._submit(
            lambda: ask_in_batches(
                lambda some: close_answers(self._target.ask("close", handles=some, **wish)),
                wanted,
            )
        )

    def drain(self) -> Future[DrainReport]:
        """Run the waiting closes without an obstacle."""
        return self._submit(lambda: drain_report(self._target.ask("drain")))

    def cancel_close(self, handle: int) -> Future[bool]:
        """Take a pending close back; see ``Session``."""

        def cancel() -> bool:
            if not is_close_of_adapter(self.latest, handle):
                self._target.do("cancel", handle=handle)
                return True
            return was_taken_back(self._target.ask("withdraw", handle=handle))

        return self._submit(cancel)

    def native_holders(self, handle: int) -> Future[NativeHolders]:
        """Native references on the handle's object that have a name."""
        return self._submit(lambda: native_holders_in(self._target.ask("holders", handle=handle)))

    def retainers(self, handle: int, search: Search) -> Future[Retainers]:
        """The holders of the handle's proxy, up to Python's roots."""
        return self._submit(lambda: retainers_of(self._target, handle, search))

    def cycles(self, handle: int, search: Search) -> Future[CycleReport]:
        """Cycles across the boundary: through a handle or, with 0, all."""
        return self._submit(lambda: cycles_of(self._target, self.latest, handle, search))

    def set_type_level(self, type_index: int, level: Level | None) -> Future[None]:
        """Record so much of one type until the last viewer leaves (``None``: as the process)."""
        number = AS_THE_PROCESS if level is None else int(level)
        return self._submit(lambda: self._target.do("type_level", type_id=type_index, level=number))

    def audit(self) -> Future[AuditLog]:
        """The acts of viewers on the target."""
        return self._submit(lambda: audit_log(self._target.ask("audit")))

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        """The events after ``after``, also of a target that has ended."""
        return self._submit(lambda: self._events.read(after))

    def stacks(self) -> Future[StackReading]:
        """The stacks of all threads now; the target is not asked."""
        return self._submit(lambda: read_stacks(self._pid, self._latest))

    def remove_agent(self) -> Future[str]:
        """Remove an agent that a viewer brought in, while no other viewer needs it.

        The reason why it stays, ``""``: it left.
        """
        return self._submit(self._take_out)

    def notices(self) -> Future[tuple[str, ...]]:
        """Notices about followed classes; known when the target has answered, or will not."""
        return self._notices

    def coverage(self) -> Future[Coverage]:
        """The parts of the target without rows.

        They are classes that are not followed, and births that are not seen.
        """
        return self._submit(
            lambda: coverage_of(self._pid, adapter_report(self._target.ask("adapters")))
        )

    def follow(self, module: str) -> Future[Coverage]:
        """Follow every class of an extension module, and say what is not followed then."""
        declarations = [{"class": f"{module}.*"}]

        def ask() -> Coverage:
            answer = self._target.ask("declare", declarations=declarations)
            return coverage_of(self._pid, adapter_report(answer))

        return self._submit(ask)

    def end(self) -> None:
        """Detach. The target returns to its idle level; its last snapshot stays in ``latest``."""
        with self._wake:
            self._is_ending = True
            self._wake.notify_all()
        self._link.end()
        self._commands.shutdown(wait=False, cancel_futures=True)
        self._events.close()

    def join(self, timeout_secs: float = 5.0) -> None:
        """Wait until the session's threads have ended, after ``end`` or the target's death."""
        self._pump.join(timeout_secs)
        self._link.join(timeout_secs)

    def _submit(self, work: Callable[[], Result]) -> Future[Result]:
        try:
            return self._commands.submit(work)
        except RuntimeError:  # the executor was shut down by ``end``
            refused: Future[Result] = Future()
            refused.set_exception(ControlError("the session has ended"))
            return refused

    def _take_out(self) -> str:
        departure = take_out(
            self._segment_path, self._pid, only_unused=True, is_given_up=self._is_over
        )
        if departure.failures or departure.remains:
            raise ControlError(
                f"the agent has left but for {', '.join((*departure.failures, *departure.remains))}"
            )
        return departure.stays

    def _is_over(self) -> bool:
        return self._is_ending

    def _run(self) -> None:
        """The pump."""
        try:
            while not self._is_ending and self._turn():
                self._rest()
        finally:
            self._link.end()
            self._segment.close()
            if self._on_end is not None:
                self._on_end()

    def _turn(self) -> bool:
        """Read the data that is due; false when the target will not write again."""
        now, pace = time.monotonic(), self._pace
        is_urgent = False
        try:
            if now >= pace.next_probe:
                pace.note_probe(now)
                is_urgent = self._watcher.probe(now)
            if now >= pace.next_vitals:
                raw, has_changed = self._watcher.vitals()
                if pace.note_vitals(now, has_changed=has_changed):
                    self._subscribers.tell_vitals(build_vitals(raw, self._watcher.now()))
            if now >= pace.next_snapshot or is_urgent:
                self._look(now, is_urgent=is_urgent)
        except SegmentError as error:
            self._lose(str(error))
            return False
        return not self._watcher.verdict.is_final

    def _look(self, now: float, *, is_urgent: bool) -> None:
        snapshot, has_changed = self._watcher.snapshot(now)
        took_secs = time.monotonic() - now
        if self._pace.note_snapshot(now, took_secs, has_changed=has_changed or is_urgent):
            self._publish(snapshot)

    def _rest(self) -> None:
        with self._wake:
            left_secs = self._pace.next_due() - time.monotonic()
            if left_secs > 0 and not self._is_ending:
                self._wake.wait(left_secs)

    def _publish(self, snapshot: Snapshot) -> None:
        self._latest = snapshot
        self._subscribers.tell_snapshot(snapshot)

    def _lose(self, reason: str) -> None:
        """The segment cannot be read any more: the last snapshot stays."""
        lost = self._watcher.lost(reason, self._latest)
        if lost is not None:
            self._publish(lost)


def _millis(secs: float | None) -> int | None:
    """A future time in whole milliseconds, at least 1."""
    return None if secs is None else max(math.ceil(secs * MILLIS_PER_SEC), 1)


def _pid_of(segment: Segment) -> int:
    """The segment's process; an unreadable segment is closed."""
    try:
        return pid_in(segment.path) or int(segment.header().pid)
    except SegmentError:
        segment.close()
        raise


def _mapped(future: Future[Answer], change: Callable[[Answer], Result]) -> Future[Result]:
    """A future of ``change`` applied to the answer."""
    result: Future[Result] = Future()

    def finish(done: Future[Answer]) -> None:
        try:
            result.set_result(change(done.result()))
        except Exception as error:
            result.set_exception(error)

    future.add_done_callback(finish)
    return result
