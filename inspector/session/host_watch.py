"""Looks at all processes of a host that have an agent, by their segments alone.

Nothing is asked of a process: no socket, no ptrace, no level of recording changes. Stopped and hung
processes are read too. Used by one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.attach import linux, procfs
from inspector.attach.segment import Segment
from inspector.errors import SegmentError
from inspector.model.build import Moment, table_snapshot
from inspector.model.findings.finding import Facts
from inspector.model.findings.judge import judge
from inspector.model.findings.trend import Trend
from inspector.model.metrics.reading import ProcessReading, last_values, values_of
from inspector.model.metrics.service import Service, service_of
from inspector.model.raw import RawVitals
from inspector.model.snapshot import Snapshot, Target, TargetState
from inspector.session.liveness import Verdict
from inspector.session.postmortem import snapshot_of_dead
from inspector.session.source import SegmentSource
from inspector.session.target import target_of
from inspector.wire.schema import Ending

THOROUGH_EVERY: Final = 6
"""Every so many looks the folders of each process are searched too, for containers and processes
with a runtime directory of their own."""
STOPPED_STATES: Final = ("T", "t")
_ENDINGS: Final = {Ending.EXITED: "exited", Ending.STOPPED: "agent left"}

Identity = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HostReading:
    """All processes at one moment."""

    processes: tuple[ProcessReading, ...]
    unreadable: int
    """Segments that could not be read: of another version, or damaged."""
    at: float
    """Seconds since the Unix epoch."""


class HostWatch:
    """Follows the segments of a host from look to look."""

    def __init__(
        self,
        now: Callable[[], float] = time.time,
        usual: Callable[[], Iterable[Path]] = linux.segment_files,
        elsewhere: Callable[[], Iterable[Path]] = linux.segment_files_elsewhere,
    ) -> None:
        """``now``: seconds since the Unix epoch. Programs that ended before are not read.

        ``usual`` finds segments at each look, ``elsewhere`` further ones now and then.
        """
        self._now, self._find, self._find_elsewhere = now, usual, elsewhere
        self._began_at = now()
        self._followed: dict[Identity, _Followed] = {}
        self._done: set[Identity] = set()
        """Segments of programs that have ended; they are not read again."""
        self._elsewhere: tuple[Path, ...] = ()
        self._looks = 0

    def look(self) -> HostReading:
        """Read every segment once."""
        paths = self._paths()
        readings, unreadable = [], 0
        for identity, path in paths.items():
            if identity in self._done:
                continue
            try:
                reading = self._read(identity, path)
            except (SegmentError, ValueError, OverflowError, MemoryError):
                self._forget(identity)
                unreadable += path.exists()
                continue
            if reading is not None:
                readings.append(reading)
        for identity in self._followed.keys() - paths.keys():
            last = self._last_words(identity)
            readings += [last] if last else []
        self._done &= paths.keys()
        return HostReading(tuple(readings), unreadable, self._now())

    def close(self) -> None:
        """Give all segments back."""
        for identity in list(self._followed):
            self._forget(identity)

    def _paths(self) -> dict[Identity, Path]:
        """Segments by their file, each once; a path through a process's root names its process."""
        if self._looks % THOROUGH_EVERY == 0:
            self._elsewhere = tuple(self._find_elsewhere())
        self._looks += 1
        found: dict[Identity, Path] = {}
        for path in (*self._find(), *self._elsewhere):
            with suppress(OSError):
                status = path.stat()
                found[status.st_dev, status.st_ino] = path
        return found

    def _read(self, identity: Identity, path: Path) -> ProcessReading | None:
        followed = self._followed.get(identity)
        if followed is None:
            followed = _Followed(path, identity)
            if not followed.is_alive() and followed.started_at() < self._began_at:
                followed.close()
                self._done.add(identity)
                return None
            self._followed[identity] = followed
        if followed.is_alive():
            return followed.reading(self._now())
        return self._last_words(identity)

    def _last_words(self, identity: Identity) -> ProcessReading | None:
        """The last state of a program that ended. Its file may be removed: it is open here."""
        followed = self._followed[identity]
        try:
            return None if followed.is_alive() else followed.last_reading()
        except (SegmentError, ValueError, OverflowError, MemoryError):
            return None
        finally:
            self._forget(identity)
            self._done.add(identity)

    def _forget(self, identity: Identity) -> None:
        followed = self._followed.pop(identity, None)
        if followed is not None:
            followed.close()


class _Followed:
    """One segment that is read again and again."""

    def __init__(self, path: Path, identity: Identity) -> None:
        """Raises ``SegmentError``."""
        self._identity = identity
        self._segment = Segment(path)
        try:
            self._source = SegmentSource(self._segment)
            self._trend = Trend()
            self._serial = 0
            self._pid = linux.pid_in(path) or int(self._segment.header().pid)
            raw = self._source.vitals()
            self._start_time = raw.number("start_time")
            self._started_at = _target(raw, 0.0).started_at
            program = _target(raw, 0.0).name
            known = procfs.environment(self._pid) if self._process_state() else {}
            self._service: Service = service_of(known, program)
        except BaseException:
            self._segment.close()
            raise

    def is_alive(self) -> bool:
        """Whether the program runs, by the lock that it holds. Raises ``SegmentError``."""
        return self._segment.is_locked()

    def started_at(self) -> float:
        """When the segment was made, seconds since the Unix epoch."""
        return self._started_at

    def reading(self, at: float) -> ProcessReading:
        """The values now. Raises ``SegmentError``."""
        snapshot = self._snapshot(at)
        self._trend.observe(snapshot)
        report = judge(Facts(snapshot, self._trend))
        letter = self._process_state()
        state = "stopped" if letter in STOPPED_STATES else "runs" if letter else "unknown"
        return ProcessReading(
            self._identity, values_of(self._service, snapshot, report, state=state)
        )

    def last_reading(self) -> ProcessReading:
        """The values at the program's end. Raises ``SegmentError``."""
        raw = self._source.state()
        ending = _ENDINGS.get(Ending(raw.vitals.number("ending")), "killed")
        snapshot = snapshot_of_dead(
            self._source, raw, serial=self._serial + 1, overwritten_events=0
        )
        return ProcessReading(
            self._identity, last_values(self._service, snapshot, ending), is_final=True
        )

    def close(self) -> None:
        """Give the segment back."""
        self._segment.close()

    def _snapshot(self, at: float) -> Snapshot:
        raw = self._source.table()
        self._serial += 1
        moment = Moment(serial=self._serial, taken_at=at, target=_target(raw.vitals, at))
        return table_snapshot(raw, self._source.names, self._source.codes, moment)

    def _process_state(self) -> str:
        """One letter of the system's; ``""``: the process is gone, or in another namespace."""
        stat = procfs.process_stat(self._pid)
        return stat.state if stat is not None and stat.start_time == self._start_time else ""


def _target(raw: RawVitals, at: float) -> Target:
    return target_of(raw, Verdict(TargetState.LIVE), at)
