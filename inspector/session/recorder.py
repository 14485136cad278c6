"""Records a session into a file, on a thread of its own.

Neither the target nor the window waits for the disk.
"""

from __future__ import annotations

import os
import queue
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from inspector.errors import FileFormatError, InspectorError
from inspector.model import caps
from inspector.model.caps import Use
from inspector.model.delta import changes_since
from inspector.model.events import EventCursor
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.session_file import (
    delta_record,
    events_record,
    file_start,
    json_record,
    snapshot_record,
    vitals_record,
)
from inspector.model.snapshot import Snapshot, Vitals
from inspector.session.private_facts import private_facts
from inspector.session.protocol import Session
from inspector.systems import BYTES, CLOSE_ON_EXEC, give_to_owner
from inspector.whole_files import OWNER_ONLY

RECORD_SECS: Final = 0.5
"""From one recorded snapshot to the next."""
VITALS_SECS: Final = 0.05
WAITING_SNAPSHOTS: Final = caps.RECORDING_SNAPSHOTS.most
DELTAS_A_WHOLE: Final = 30
"""After so many deltas comes a whole snapshot again: that far a reader has to go back at most."""
EVENT_SECS: Final = 2.0
"""How long reading the events may take."""
MAX_FILE_BYTES: Final = caps.RECORDING_FILE.most


class Sink(Protocol):
    """Takes the records of a session file, each whole, in their order."""

    def write(self, record: bytes, /) -> int:
        """Take one. Raises ``OSError``."""

    def flush(self) -> None:
        """Let nothing wait. Raises ``OSError``."""

    def close(self) -> None:
        """No more records come. Raises ``OSError``."""


Item = Snapshot | tuple[float, str] | Callable[[], None]
"""A snapshot, a mark, or work for the recorder's thread."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The amount written, so far or in the end."""

    path: Path
    snapshots: int
    left_out: int
    """Snapshots that came faster than they could be written."""
    size_bytes: int
    failure: str = ""
    """Why it stopped before it was asked to, a sentence without a full stop."""
    left_out_parts: str = ""
    """Private parts that the file does not have; ``""``: none."""


class SessionRecorder:
    """A ``SessionListener`` that writes every notification. ``stop`` it."""

    def __init__(
        self,
        session: Session,
        path: Path,
        *,
        every_secs: float = RECORD_SECS,
        may_replace: bool = False,
        kept: Kept = NOTHING_KEPT,
        sink: Sink | None = None,
    ) -> None:
        """Begin with the newest snapshot.

        Private parts are left out, but for those that are ``kept``. With a ``sink`` the records go
        there, without end, and no file is made.

        Raises ``FileFormatError`` when the file cannot be made, or is there and may not be
        replaced.
        """
        self._session = session
        self._path = path
        self._every_secs = every_secs
        self._file: Sink = sink or _new_file(path, may_replace=may_replace)
        self._waiting: queue.Queue[Item | None] = queue.Queue(WAITING_SNAPSHOTS + 64)
        self._lock = threading.Lock()
        self._vitals: list[Vitals] = []
        self._waiting_snapshots = self._waiting_bytes = self._left_out_vitals = 0
        self._heard_at = -float("inf")
        self._state = ""
        self._left_out = 0
        self._writer = _Writer(self._file, kept, MAX_FILE_BYTES if sink is None else None)
        self._cursor: EventCursor | None = None
        self._failure = ""
        self._is_stopped = False
        self._leave: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()
        self._leave = session.subscribe(self)
        if session.latest is not None:
            self.on_snapshot(session.latest)

    @property
    def recorded(self) -> Recorded:
        """How far it is. Any thread."""
        return Recorded(
            self._path,
            self._writer.snapshots,
            self._left_out,
            self._writer.size_bytes,
            self._failure,
            self._writer.redactor.sentence(),
        )

    def uses(self) -> tuple[Use, ...]:
        """The amounts that wait for the disk, and the file. Any thread."""
        with self._lock:
            return (
                Use(caps.RECORDING_SNAPSHOTS, self._waiting_snapshots, self._left_out),
                Use(caps.RECORDING_BYTES, self._waiting_bytes),
                Use(caps.RECORDING_VITALS, len(self._vitals), self._left_out_vitals),
                Use(caps.RECORDING_FILE, self._writer.size_bytes),
            )

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Pump thread: keep it when it is time, or the target's state changed."""
        is_due = (
            snapshot.taken_at - self._heard_at >= self._every_secs - 0.01
            or str(snapshot.target.state) != self._state
        )
        if not is_due or self._failure:
            return
        self._heard_at, self._state = snapshot.taken_at, str(snapshot.target.state)
        self.on_vitals(snapshot.vitals)
        with self._lock:
            rows_bytes = len(snapshot.handles) * caps.BYTES_A_ROW
            is_full = self._waiting_snapshots >= WAITING_SNAPSHOTS or (
                self._waiting_snapshots > 0
                and self._waiting_bytes + rows_bytes > caps.RECORDING_BYTES.most
            )
            if not is_full:
                self._waiting_snapshots += 1
                self._waiting_bytes += rows_bytes
        if is_full:
            self._left_out += 1
        else:
            self._put(snapshot)

    def on_vitals(self, vitals: Vitals) -> None:
        """Pump thread: keep some twenty a second."""
        with self._lock:
            if not self._vitals or vitals.at - self._vitals[-1].at >= VITALS_SECS:
                self._vitals.append(vitals)
            if len(self._vitals) > caps.RECORDING_VITALS.most:  # the disk is stalled
                self._left_out_vitals += len(self._vitals) // 2
                del self._vitals[1::2]

    def mark(self, at: float, name: str) -> None:
        """A mark was set; any thread."""
        self._put((at, name))

    def then(self, work: Callable[[], None]) -> None:
        """Do ``work`` on the recorder's thread, after all that came before; any thread."""
        self._waiting.put(work)

    def stop(self) -> Recorded:
        """Write the waiting data and end; any thread, waits for the disk."""
        self._leave()
        if not self._is_stopped:
            self._is_stopped = True
            self._waiting.put(None)
        self._thread.join()
        return self.recorded

    def _put(self, item: Item) -> None:
        """An item without room is left out: a full queue means a stalled disk."""
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self._left_out += 1
            if isinstance(item, Snapshot):
                self._note_gone(item)

    def _note_gone(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._waiting_snapshots -= 1
            self._waiting_bytes -= len(snapshot.handles) * caps.BYTES_A_ROW

    def _run(self) -> None:
        try:
            while (item := self._waiting.get()) is not None:
                self._take(item)
            self._flush_vitals()
            self._writer.end(self._left_out)
            self._file.close()
        except (OSError, InspectorError) as error:
            self._failure = f"recording stopped: {getattr(error, 'strerror', None) or error}"
            self._leave()
            self._give_up()

    def _take(self, item: Item) -> None:
        if not isinstance(item, Snapshot | tuple):
            self._flush_vitals()
            item()
            return
        if isinstance(item, tuple):
            name = self._writer.redactor.text(item[1])
            self._writer.add(json_record(b"MARK", {"at": item[0], "name": name}))
            return
        self._note_gone(item)
        self._flush_vitals()
        self._writer.snapshot(item)
        self._write_events()
        self._file.flush()

    def _flush_vitals(self) -> None:
        with self._lock:
            readings, self._vitals = self._vitals, []
        if readings:
            self._writer.add(vitals_record(readings))

    def _write_events(self) -> None:
        """The events since the last snapshot.

        If they cannot be read now, they are asked for again with the next snapshot.
        """
        try:
            batch = self._session.read_events(self._cursor).result(EVENT_SECS)
        except (InspectorError, TimeoutError):
            return
        self._cursor = batch.cursor
        if len(batch.events):
            self._writer.add(events_record(batch.events))

    def _give_up(self) -> None:
        """After a failure the file's buffer is lost.

        Take further items, so that ``stop`` finds its end.
        """
        with suppress(OSError):
            self._file.close()
        while self._waiting.get() is not None:
            self._left_out += 1


class _Writer:
    """Puts records into the file; recorder's thread."""

    def __init__(self, file: Sink, kept: Kept, most_bytes: int | None) -> None:
        self._most_bytes = most_bytes
        self.redactor = Redactor(private_facts(), kept)
        self._kept = kept
        self.snapshots = 0
        self.size_bytes = 0
        self._file = file
        self._last: Snapshot | None = None
        self._deltas = 0
        self._at = 0.0
        self.add(file_start())

    def add(self, record: bytes) -> None:
        if self._most_bytes is not None and self.size_bytes + len(record) > self._most_bytes:
            raise FileFormatError(f"the file has reached {self._most_bytes >> 30} GiB")
        self._file.write(record)
        self.size_bytes += len(record)

    def snapshot(self, snapshot: Snapshot) -> None:
        if self._last is None:
            self.redactor = Redactor(private_facts(snapshot.target.pid), self._kept)
        snapshot = self.redactor.snapshot(snapshot)
        if self._last is None:
            target = snapshot.target
            self.add(
                json_record(
                    b"HEAD", {"program": target.name, "pid": target.pid, "at": snapshot.taken_at}
                )
            )
        # the last state of a dead target is as old as its last sign of life
        self._at = max(self._at, snapshot.taken_at)
        self.add(self._record_of(snapshot))
        self._last = snapshot
        self.snapshots += 1

    def end(self, left_out: int) -> None:
        self.add(json_record(b"LAST", {"snapshots": self.snapshots, "left_out": left_out}))

    def _record_of(self, snapshot: Snapshot) -> bytes:
        if self._last is None or self._deltas >= DELTAS_A_WHOLE:
            self._deltas = 0
            return snapshot_record(snapshot, self._at)
        changed, gone = changes_since(self._last, snapshot)
        if len(changed.handles) > len(snapshot.handles) // 2 + 64:
            self._deltas = 0
            return snapshot_record(snapshot, self._at)
        self._deltas += 1
        return delta_record(changed, gone, self._at)


_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | CLOSE_ON_EXEC | BYTES


def _new_file(path: Path, *, may_replace: bool) -> BinaryIO:
    """Readable by the owner only: it names files and lines of the program."""
    try:
        how = os.O_TRUNC if may_replace else os.O_EXCL
        return _owned(os.open(path, _NEW_FILE | how, OWNER_ONLY))
    except FileExistsError:
        raise FileFormatError(f"the file is there already: {path}") from None
    except OSError as error:
        raise FileFormatError(
            f"cannot write the session file: {error.strerror or error}: {path}"
        ) from error


def _owned(descriptor: int) -> BinaryIO:
    """The file, which may be older and open to others, for its owner alone."""
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        give_to_owner(descriptor, OWNER_ONLY)
    return os.fdopen(descriptor, "wb")
