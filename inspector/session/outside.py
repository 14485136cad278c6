"""A session with a process in which nothing may be loaded: the read-only fallback.

It looks at the process from outside, again and again.

A worker thread looks, informs the listeners, and rests for ``REST`` times the processor time of the
look: reading much memory must not become a load. Nothing can be asked of the target.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Final

import psutil

from inspector.attach import linux, procfs
from inspector.attach.discovery import find_published
from inspector.attach.outside.look import look
from inspector.attach.outside.memory import OutsideError
from inspector.attach.outside.seen import Look, SeenLibrary
from inspector.attach.processes import LONGEST_COMMAND, short_name
from inspector.errors import AttachError
from inspector.model.events import EventBatch, EventCursor
from inspector.model.findings.leads import Coverage
from inspector.model.snapshot import Snapshot, Target, TargetState
from inspector.plain_text import printable
from inspector.session.fixed_session import FixedSession, refused
from inspector.session.leads import outside_lead
from inspector.session.outside_rows import OutsideRows
from inspector.session.process_limits import process_limits
from inspector.session.protocol import SessionListener
from inspector.session.subscribers import Subscribers
from inspector.vocabulary import Level

REASON: Final = "the process is only looked at from outside: nothing of the inspector runs in it"
NO_EVENTS: Final = "From outside, events between two looks are not seen"
SHORTEST_SECS: Final = 1.0
REST: Final = 4.0
"""Rest after a look, as a multiple of the processor time that it took: on a busy machine looks do
not become rare."""


class OutsideSession(FixedSession):
    """A ``Session`` that looks and cannot act. Made with the first look; ``end`` it."""

    def __init__(self, pid: int, *, rest: float = REST) -> None:
        """Look once.

        Blocks for that. ``rest``: after a look, as a multiple of its processor time. Raises
        ``AttachError`` when the process has ended or cannot be read.
        """
        self._rest = rest
        self._identity = procfs.process_stat(pid)
        self._pid = pid
        self._rows = OutsideRows()
        self._rest_secs = SHORTEST_SECS
        self._wanted_secs = SHORTEST_SECS
        self._ending = threading.Event()
        self._libraries: tuple[SeenLibrary, ...] = ()
        super().__init__(self._look(), reason=REASON)
        self._subscribers = Subscribers()
        self._thread = threading.Thread(target=self._run, name="outside", daemon=True)
        self._thread.start()

    def subscribe(self, listener: SessionListener) -> Callable[[], None]:
        """Listen to every look from now on."""
        return self._subscribers.add(listener)

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        """Fails with ``ControlError``."""
        return refused(NO_EVENTS)

    def coverage(self) -> Future[Coverage]:
        """The extensions whose objects the newest look counted and did not list."""
        answer: Future[Coverage] = Future()
        answer.set_result(Coverage(outside_lead(self._libraries)))
        return answer

    def set_interval(self, *, snapshot_secs: float, vitals_secs: float) -> None:
        """Look about that often, as far as looks are quick enough."""
        self._wanted_secs = snapshot_secs

    def end(self) -> None:
        """Look no more."""
        self._ending.set()

    def join(self, timeout_secs: float = 10.0) -> None:
        """Wait for the worker after ``end``."""
        self._thread.join(timeout_secs)

    def _run(self) -> None:
        while not self._ending.wait(max(self._wanted_secs, self._rest_secs)):
            try:
                self._publish(self._look())
            except OutsideError as error:
                if not self._ending.is_set():
                    self._publish(self._gone(str(error)))
                return

    def _publish(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._subscribers.tell_snapshot(snapshot)
        self._subscribers.tell_vitals(snapshot.vitals)

    def _look(self) -> Snapshot:
        at = time.time()
        stat = procfs.process_stat(self._pid)
        if stat is None or self._identity is None or stat.start_time != self._identity.start_time:
            raise OutsideError(
                f"process {self._pid} {'has ended' if self._identity else 'does not exist'}"
            )
        used_secs = _used_secs()
        seen = look(self._pid, go_on=self._go_on)
        seen = replace(seen, notes=(*seen.notes, *_of_agent(self._pid, len(seen.rows))))
        self._libraries = seen.libraries
        self._rest_secs = max(SHORTEST_SECS, self._rest * (_used_secs() - used_secs))
        target, limits = _target(self._pid, seen, stat, at), process_limits(self._pid)
        return self._rows.snapshot(seen, target=target, at=at, limits=limits)

    def _go_on(self) -> None:
        if self._ending.is_set():
            raise OutsideError("given up")

    def _gone(self, reason: str) -> Snapshot:
        latest = self._snapshot
        ended = replace(
            latest.target, state=TargetState.ENDED, reason=reason, state_since=time.time()
        )
        return replace(latest, serial=latest.serial + 1, target=ended)


def _of_agent(pid: int, found_rows: int) -> tuple[str, ...]:
    """Objects that only an agent in the process lists.

    They are its declared classes, and the runtime's own handles.
    """
    agent = find_published(pid)
    if agent is None or agent.live_handles <= found_rows:
        return ()
    return (
        (
            f"an agent in the process lists {agent.live_handles:,} handles, found from outside "
            f"{found_rows:,}: look without --read-only"
        ),
    )


def _used_secs() -> float:
    """Processor time of this thread and of the children that ended: a child reads the stacks."""
    import resource  # a process is looked at on Linux alone

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.thread_time() + children.ru_utime + children.ru_stime


def require_readable(pid: int) -> None:
    """Raise ``AttachError`` when a process cannot be looked at from outside either.

    The message says the cause first.
    """
    linux.require_support()
    if procfs.process_stat(pid) is None:
        raise AttachError(f"process {pid} does not exist")
    if procfs.mappings(pid) is None:
        raise AttachError(
            f"process {pid} may not be read from outside: it is another user's, or forbids it"
        )


def _target(pid: int, seen: Look, stat: procfs.ProcessStat, at: float) -> Target:
    arguments = procfs.arguments(pid, LONGEST_COMMAND)
    command = printable(" ".join(part for part in arguments if part))
    stopped = {"T": "it is stopped by a signal", "t": "a debugger has stopped it"}.get(
        stat.state, ""
    )
    return Target(
        pid=pid,
        name=short_name(command) or procfs.thread_name(pid, pid) or f"process {pid}",
        command=command,
        runtime=seen.runtime,
        executable=printable(arguments[0]),
        start_time=stat.start_time,
        started_at=_started_at(pid),
        state=TargetState.HUNG if stopped else TargetState.LIVE,
        reason=stopped,
        state_since=at,
        level=Level.OFF,
        from_outside=True,
    )


def _started_at(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return float("nan")
