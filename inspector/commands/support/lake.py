"""Lifetimes and counts as Parquet files in partitions, written by DuckDB, an optional package.

Files are whole or not there: they are written into a folder of our own and moved when all are done.
No file is replaced, since every name is new.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.attach import procfs
from inspector.commands.support.opening import Running
from inspector.errors import FileFormatError, InspectorError
from inspector.model.events import EventCursor, Events, joined
from inspector.model.lifetimes import LifetimeCollector, Lifetimes, Seconds, seconds_of
from inspector.model.metrics.service import service_of
from inspector.model.private_texts import NAMES
from inspector.model.redaction import Kept
from inspector.model.snapshot import FINAL_STATES, Snapshot, Target, Vitals
from inspector.model.sql.engine import engine_error
from inspector.session.protocol import Session
from inspector.session.replay import ReplaySession
from inspector.whole_files import OWNER_ONLY

READ_SECS: Final = 30.0
"""How long reading the events may take."""
EVENTS_EVERY_SECS: Final = 0.25
"""A ring of the target holds some thousand events."""
MOST_EVENTS: Final = 20_000_000
UNKNOWN_PART: Final = "unknown"
"""The partition of a service or version that is not known."""
PARTITIONS: Final = ("service", "deploy", "host", "hour")
_FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True)
class Place:
    """The partitions that are known beforehand; the hour comes from each row."""

    service: str
    deploy: str
    host: str


@dataclass(frozen=True, slots=True)
class Observation:
    """All that was seen of one process."""

    newest: Snapshot
    lifetimes: Lifetimes
    seconds: Seconds
    began_at: float
    ended_at: float
    left_out: int
    """Lifetimes beyond the bound."""
    lost_events: int = 0
    """Events that were overwritten before they were read: lives between two snapshots may be
    missing."""


def place_of(target: Target, given: Place, kept: Kept) -> Place:
    """The partitions of a process: as given, else by its environment and this host.

    A host without a given name has a stable number in place of its name, unless names are kept.
    """
    stat = procfs.process_stat(target.pid)
    is_same = stat is not None and stat.start_time == target.start_time
    known = service_of(procfs.environment(target.pid) if is_same else {}, target.name)
    name = socket.gethostname()
    host = name if NAMES in kept else f"h{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return Place(
        given.service or known.name or UNKNOWN_PART,
        given.deploy or known.version or UNKNOWN_PART,
        given.host or host,
    )


def observe(session: Session, first: Snapshot, watch_secs: float) -> Observation:
    """Watch a process for so long, or go through a recording. Raises ``InspectorError``."""
    collector = LifetimeCollector()
    course: list[Vitals] = []
    watcher: _Watcher | None = None
    if isinstance(session, ReplaySession):
        for at in session.moments:
            with suppress(FileFormatError):  # the file's trouble says so
                collector.take(session.state_at(float(at)).result())
        course += session.vitals
    else:
        watcher = _Watcher(collector, course)
        watcher.on_snapshot(first)
    parts = _events_while(session, watcher, watch_secs)
    newest = collector.newest or first
    course = course or [newest.vitals]
    events = joined(parts, limit=MOST_EVENTS)
    lifetimes = collector.finish(events)
    ended_at = max(course[-1].at, newest.taken_at)
    seconds = seconds_of(tuple(course))
    lost = sum(part.lost() for part in parts)
    return Observation(newest, lifetimes, seconds, course[0].at, ended_at, collector.left_out, lost)


class _Watcher:
    """Takes each snapshot of a session; pump thread."""

    def __init__(self, collector: LifetimeCollector, course: list[Vitals]) -> None:
        self._collector, self._course = collector, course
        self.ended = threading.Event()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self._collector.take(snapshot)
        self._course.append(snapshot.vitals)
        if snapshot.target.state in FINAL_STATES:
            self.ended.set()

    def on_vitals(self, vitals: Vitals) -> None:
        """Not used: a second needs no more than a snapshot's counters."""


def _events_while(session: Session, watcher: _Watcher | None, watch_secs: float) -> list[Events]:
    """Watch a process that runs, and read its events before they are overwritten."""
    parts: list[Events] = []
    cursor: EventCursor | None = None
    until = time.monotonic() + watch_secs
    is_running = watcher is not None and isinstance(session, Running)
    leave = session.subscribe(watcher) if watcher is not None and is_running else _nothing
    is_over = False
    while not is_over:
        left_secs = until - time.monotonic()
        is_over = not is_running or left_secs <= 0
        if watcher is not None and not is_over:
            is_over = watcher.ended.wait(min(left_secs, EVENTS_EVERY_SECS))
        with suppress(InspectorError, TimeoutError):  # read again the next time
            batch = session.read_events(cursor).result(READ_SECS)
            cursor = batch.cursor
            parts.append(batch.events)
    leave()
    return parts


def _nothing() -> None:
    """Nothing was subscribed."""


def write_lake(folder: Path, seen: Observation, shown: Snapshot, place: Place) -> list[Path]:
    """Write both tables below ``folder``; the new files. Raises ``FileFormatError``.

    ``shown``: the newest snapshot without private parts, which names types and sites.
    """
    import duckdb  # optional, and 50 ms

    part = folder / f".arc-inspector-{secrets.token_hex(4)}"
    connection = duckdb.connect(":memory:")
    try:
        part.mkdir(_FOLDER_MODE, parents=True)
        connection.execute(MOMENT)
        _register(connection, seen, shown, place)
        for table, query in (("lifetimes", LIFETIMES), ("counts", COUNTS)):
            connection.execute(
                f"copy ({query}) to '{_quoted(part / table)}' (format parquet, compression zstd, "
                f"partition_by ({', '.join(PARTITIONS)}), filename_pattern 'part-{{uuid}}')"
            )
        return _moved(part, folder)
    except OSError as error:
        raise FileFormatError(f"cannot write: {error.strerror or error}: {folder}") from error
    except duckdb.Error as error:
        why = engine_error(error).replace(str(part), folder.name)
        raise FileFormatError(f"cannot write: {why}: {folder}") from error
    finally:
        connection.close()
        shutil.rmtree(part, ignore_errors=True)


def _moved(part: Path, folder: Path) -> list[Path]:
    """Move all files to their places, for their owner alone."""
    files = []
    for path in sorted(part.rglob("*.parquet")):
        path.chmod(OWNER_ONLY)
        target = folder / path.relative_to(part)
        target.parent.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        path.rename(target)
        files.append(target)
    return files


def _register(connection: Any, seen: Observation, shown: Snapshot, place: Place) -> None:
    """The tables that the queries read."""
    rows, seconds, target = seen.lifetimes, seen.seconds, shown.target
    types = shown.types.values()
    sites = [site for site in shown.sites.values() if site.frames]
    named = [site.frames[site.naming] for site in sites]
    tables: dict[str, dict[str, npt.NDArray[Any]]] = {
        "seen_rows": {name: getattr(rows, name) for name in Lifetimes.__slots__},
        "seen_seconds": {name: getattr(seconds, name) for name in Seconds.__slots__},
        "seen_types": {
            "type_index": np.array([row.index for row in types], np.int64),
            "type": _texts([row.name for row in types]),
            "module": _texts([row.origin or None for row in types]),
        },
        "seen_sites": {
            "site_index": np.array([site.index for site in sites], np.int64),
            "site": _texts([site.short() for site in sites]),
            "file": _texts([frame.file or None for frame in named]),
            "line": np.array([frame.line for frame in named], np.int64),
            "stack": _texts([" ← ".join(each.short() for each in site.frames) for site in sites]),
        },
        "seen_process": {
            "service": _texts([place.service]),
            "deploy": _texts([place.deploy]),
            "host": _texts([place.host]),
            "pid": np.array([target.pid], np.int64),
            "program": _texts([target.name]),
            "started_at": np.array([target.started_at]),
            "began_at": np.array([seen.began_at]),
            "ended_at": np.array([seen.ended_at]),
        },
    }
    for name, columns in tables.items():
        connection.register(name, columns)


def _texts(values: list[str | None]) -> npt.NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


MOMENT: Final = """
create macro moment(secs) as
  case when isnan(secs) then null else make_timestamp((secs * 1000000)::bigint) end
"""
LIFETIMES: Final = """
select service, deploy, host, pid, program, moment(started_at) as process_started_at,
  format('#{}.{}', (ids & 4294967295) >> 1, ids >> 32) as handle,
  type, module, moment(born_at) as born_at, moment(died_at) as died_at,
  is_alive, is_never_closed as never_closed,
  case when isnan(native_refs) then null else native_refs::bigint end as native_refs,
  site, file, nullif(line, 0) as line, stack,
  moment(began_at) as observed_from, moment(ended_at) as observed_until,
  strftime(moment(ended_at), '%Y-%m-%dT%H') as hour
from seen_rows
  left join seen_types on types = type_index
  left join seen_sites on sites = site_index, seen_process
"""
"""One row a lifetime."""
COUNTS: Final = """
select service, deploy, host, pid, program, moment(started_at) as process_started_at,
  moment("at") as second, type, module, live, created, released,
  strftime(moment("at"), '%Y-%m-%dT%H') as hour
from seen_seconds join seen_types on types = type_index, seen_process
"""
"""One row a type and second."""
