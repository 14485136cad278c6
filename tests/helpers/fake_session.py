"""Sessions and connectors that tests drive by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from inspector.errors import AttachError
from inspector.model.events import EventBatch, EventCursor, no_events
from inspector.model.findings.leads import Coverage
from inspector.model.holders import CycleReport, NativeHolders, Retainers
from inspector.model.snapshot import Snapshot, Vitals
from inspector.model.stack_reading import StackReading
from inspector.session.protocol import (
    AuditLog,
    Capabilities,
    CloseAnswer,
    DrainReport,
    GcReport,
    SessionListener,
)
from inspector.session.searching import Search
from inspector.ui.session.connector import ProcessRow, RecentFile
from inspector.vocabulary import Level


class FakeSession:
    """A ``Session`` that publishes a test's snapshots and leaves requests to the test."""

    def __init__(
        self, snapshot: Snapshot | None = None, *, capabilities: Capabilities | None = None
    ) -> None:
        self.listeners: list[SessionListener] = []
        self.intervals: list[tuple[float, float]] = []
        self.level_requests: list[tuple[Level, Future[Level]]] = []
        self.gc_requests: list[Future[GcReport]] = []
        self.previews: list[tuple[tuple[int, ...], Future[tuple[CloseAnswer, ...]]]] = []
        self.close_deadlines: list[float | None] = []
        self.closes: list[tuple[tuple[int, ...], bool, Future[tuple[CloseAnswer, ...]]]] = []
        self.events = no_events()
        self.events_read: list[int] = []
        self.drains: list[Future[DrainReport]] = []
        self.cancels: list[tuple[int, Future[bool]]] = []
        self.audits: list[Future[AuditLog]] = []
        self.noticed: Future[tuple[str, ...]] = Future()
        self.holder_requests: list[tuple[int, Future[NativeHolders]]] = []
        self.retainer_requests: list[tuple[int, Search, Future[Retainers]]] = []
        self.cycle_requests: list[tuple[int, Search, Future[CycleReport]]] = []
        self.type_level_requests: list[tuple[int, Level | None, Future[None]]] = []
        self.coverage_requests: list[Future[Coverage]] = []
        self.follow_requests: list[tuple[str, Future[Coverage]]] = []
        self.stack_requests: list[Future[StackReading]] = []
        self.removals: list[Future[str]] = []
        self.ended = False
        self._latest = snapshot
        self.can = capabilities or Capabilities(act=True, levels=True)

    @property
    def latest(self) -> Snapshot | None:
        return self._latest

    @property
    def capabilities(self) -> Capabilities:
        return self.can

    def subscribe(self, listener: SessionListener) -> Callable[[], None]:
        self.listeners.append(listener)

        def leave() -> None:
            if listener in self.listeners:
                self.listeners.remove(listener)

        return leave

    def set_interval(self, *, snapshot_secs: float, vitals_secs: float) -> None:
        self.intervals.append((snapshot_secs, vitals_secs))

    def set_level(self, level: Level) -> Future[Level]:
        self.level_requests.append((level, Future()))
        return self.level_requests[-1][1]

    def force_gc(self) -> Future[GcReport]:
        self.gc_requests.append(Future())
        return self.gc_requests[-1]

    def preview_close(self, handles: Sequence[int]) -> Future[tuple[CloseAnswer, ...]]:
        self.previews.append((tuple(handles), Future()))
        return self.previews[-1][1]

    def close_handles(
        self,
        handles: Sequence[int],
        *,
        although_held: bool = False,
        deadline_secs: float | None = None,
    ) -> Future[tuple[CloseAnswer, ...]]:
        self.close_deadlines.append(deadline_secs)
        self.closes.append((tuple(handles), although_held, Future()))
        return self.closes[-1][2]

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        """Answers at once: all of ``events`` at first, after that the events added since."""
        read = 0 if after is None else after.following[0]
        batch: Future[EventBatch] = Future()
        batch.set_result(
            EventBatch(self.events.take(slice(read, None)), EventCursor({0: len(self.events)}))
        )
        self.events_read.append(read)
        return batch

    def drain(self) -> Future[DrainReport]:
        self.drains.append(Future())
        return self.drains[-1]

    def cancel_close(self, handle: int) -> Future[bool]:
        self.cancels.append((handle, Future()))
        return self.cancels[-1][1]

    def native_holders(self, handle: int) -> Future[NativeHolders]:
        self.holder_requests.append((handle, Future()))
        return self.holder_requests[-1][1]

    def retainers(self, handle: int, search: Search) -> Future[Retainers]:
        self.retainer_requests.append((handle, search, Future()))
        return self.retainer_requests[-1][2]

    def cycles(self, handle: int, search: Search) -> Future[CycleReport]:
        self.cycle_requests.append((handle, search, Future()))
        return self.cycle_requests[-1][2]

    def set_type_level(self, type_index: int, level: Level | None) -> Future[None]:
        self.type_level_requests.append((type_index, level, Future()))
        return self.type_level_requests[-1][2]

    def audit(self) -> Future[AuditLog]:
        self.audits.append(Future())
        return self.audits[-1]

    def stacks(self) -> Future[StackReading]:
        self.stack_requests.append(Future())
        return self.stack_requests[-1]

    def remove_agent(self) -> Future[str]:
        self.removals.append(Future())
        return self.removals[-1]

    def notices(self) -> Future[tuple[str, ...]]:
        return self.noticed

    def coverage(self) -> Future[Coverage]:
        self.coverage_requests.append(Future())
        return self.coverage_requests[-1]

    def follow(self, module: str) -> Future[Coverage]:
        self.follow_requests.append((module, Future()))
        return self.follow_requests[-1][1]

    def end(self) -> None:
        self.ended = True

    def publish(self, snapshot: Snapshot) -> None:
        """Call the listeners on this thread."""
        self._latest = snapshot
        for listener in tuple(self.listeners):
            listener.on_snapshot(snapshot)

    def publish_vitals(self, vitals: Vitals) -> None:
        """Call the listeners on this thread."""
        for listener in tuple(self.listeners):
            listener.on_vitals(vitals)

    def on_pump(self, work: Callable[[], None]) -> None:
        """Run ``work`` on another thread, as the pump would, and wait for its end."""
        pump = threading.Thread(target=work, name="pump")
        pump.start()
        pump.join()


class FakeConnector:
    """A ``Connector`` over prepared processes and sessions."""

    def __init__(
        self,
        processes: Sequence[ProcessRow] = (),
        sessions: dict[int, FakeSession] | None = None,
        *,
        demo: FakeSession | None = None,
        files: dict[Path, FakeSession] | None = None,
        folder: Path = Path(),
    ) -> None:
        self.rows = tuple(processes)
        self.sessions = sessions or {}
        self.demo = demo
        self.files = files or {}
        self.folder = folder
        self.agreed = 0
        self.remembered: list[Path] = []
        self.brought: list[int] = []
        self.looked: list[int] = []

    def processes(self, is_given_up: Callable[[], bool] = lambda: False) -> Sequence[ProcessRow]:
        return self.rows

    def relatives(self, pid: int) -> Sequence[ProcessRow]:
        return tuple(row for row in self.rows if pid in (row.pid, row.parent_pid))

    def attach(self, pid: int) -> FakeSession:
        if pid not in self.sessions:
            message = f"process {pid} does not exist"
            raise AttachError(message)
        return self.sessions[pid]

    def agree_to_declarations(self) -> None:
        self.agreed += 1

    def bring(self, pid: int) -> FakeSession:
        self.brought.append(pid)
        return self.attach(pid)

    def look(self, pid: int) -> FakeSession:
        self.looked.append(pid)
        return self.attach(pid)

    def start_demo(self) -> FakeSession:
        if self.demo is None:
            message = "the demo could not be started"
            raise AttachError(message)
        return self.demo

    def open_file(self, path: Path) -> FakeSession:
        if path not in self.files:
            message = f"not a screenshot or session: {path}"
            raise AttachError(message)
        return self.files[path]

    def recent(self) -> Sequence[RecentFile]:
        return tuple(RecentFile(path, path.name, 0.0) for path in self.files)

    def remember(self, path: Path) -> None:
        self.remembered.append(path)

    def screenshot_folder(self) -> Path:
        return self.folder
