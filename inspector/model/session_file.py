r"""Session files: a session's course in one file.

A file that is cut off is readable up to its end.

::

    magic "arcsess\0" (8) | version u32 | zero u32, then records:
    kind (4 letters) | payload bytes u32 | CRC-32 of kind, size and payload u32 | payload

    HEAD  JSON: program, pid, when it began
    SNAP  when it was taken f64 | a whole snapshot (``codec``)
    DELT  when it was taken f64 | count of ids u32 | ids that went u64 … | a snapshot with only what
          changed (``delta``): follows on the SNAP or DELT before it
    VITL  counters, a column each (``columns``)
    EVNT  events, a column each
    MARK  JSON: time, name
    LAST  JSON: how the recording ended, what it left out

All numbers are little endian. Records of an unknown kind are skipped, so that a newer writer may
add some; a new ``VERSION`` is refused. A damaged record is left out and counted, with the deltas
that follow on it. Reading treats the file as hostile.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.errors import FileFormatError
from inspector.model.codec import decode, encode
from inspector.model.events import Events
from inspector.model.fields import COUNT_LIMIT, FLOAT_LIMIT
from inspector.model.packed import pack, unpack
from inspector.model.snapshot import Ids, Snapshot, Vitals
from inspector.vocabulary import EventKind

MAGIC: Final = b"arcsess\0"
VERSION: Final = 1
HEAD: Final = struct.Struct("<8sII")
RECORD: Final = struct.Struct("<4sII")
MAX_RECORD_BYTES: Final = 128 << 20
MAX_READINGS: Final = 4096
"""Counters that are read of one record; a timeline has no room for more."""
KINDS: Final = (b"HEAD", b"SNAP", b"DELT", b"VITL", b"EVNT", b"MARK", b"LAST")
_COUNT: Final = struct.Struct("<I")
_TIME: Final = struct.Struct("<d")
_VITALS: Final = {
    "at": "<f8",
    "live": "<i8",
    "pending": "<i8",
    "types": "<i8",
    "created": "<i8",
    "released": "<i8",
    "lives": "<i8",
}
_EVENTS: Final = {
    "at": "<f8",
    "kinds": "|u1",
    "handles": "<u8",
    "addresses": "<u8",
    "counts": "<i8",
    "threads": "<i8",
    "sites": "<i8",
    "types": "<i8",
    "numbers": "<u8",
}


def file_start() -> bytes:
    """The first bytes of a session file."""
    return HEAD.pack(MAGIC, VERSION, 0)


def check_start(start: bytes) -> None:
    """Raises ``FileFormatError`` unless a readable session file begins so."""
    if len(start) < HEAD.size or not start.startswith(MAGIC):
        raise FileFormatError("not a session file: its first bytes do not match")
    _, version, _ = HEAD.unpack_from(start)
    if version != VERSION:
        raise FileFormatError(
            f"the session file has format version {version}, this program reads version {VERSION}"
        )


def record(kind: bytes, payload: bytes) -> bytes:
    """One record with its head. Raises ``FileFormatError`` when it is too large."""
    if len(payload) > MAX_RECORD_BYTES:
        raise FileFormatError(f"too large for a session file: {len(payload) >> 20} MiB at once")
    return RECORD.pack(kind, len(payload), checksum(kind, payload)) + payload


def checksum(kind: bytes, payload: bytes) -> int:
    """The fields of a record's head."""
    return zlib.crc32(payload, zlib.crc32(kind + _COUNT.pack(len(payload))))


def json_record(kind: bytes, value: Mapping[str, object]) -> bytes:
    """A record of kind HEAD, MARK or LAST."""
    return record(kind, json.dumps(value, allow_nan=False).encode())


def snapshot_record(snapshot: Snapshot, at: float | None = None) -> bytes:
    """A whole snapshot.

    ``at``: its place in time, which never decreases in a file; ``None``: when it was taken.
    """
    return record(b"SNAP", _TIME.pack(snapshot.taken_at if at is None else at) + encode(snapshot))


def delta_record(changed: Snapshot, gone: Ids, at: float | None = None) -> bytes:
    """The changes since the record before. ``at``: as for ``snapshot_record``."""
    return record(
        b"DELT",
        _TIME.pack(changed.taken_at if at is None else at)
        + _COUNT.pack(len(gone))
        + gone.astype("<u8").tobytes()
        + encode(changed),
    )


def vitals_record(readings: Sequence[Vitals]) -> bytes:
    """Counters of several moments. Types that came later have no count in the earlier readings."""
    widths = [len(each.created) for each in readings]
    columns = {
        "at": np.array([each.at for each in readings], "<f8"),
        "live": np.array([each.live for each in readings], "<i8"),
        "pending": np.array([each.pending for each in readings], "<i8"),
        "types": np.array(widths, "<i8"),
        "created": np.concatenate([each.created for each in readings]).astype("<i8"),
        "released": np.concatenate([each.released for each in readings]).astype("<i8"),
        "lives": np.concatenate([each.live_by_type() for each in readings]).astype("<i8"),
    }
    return record(b"VITL", pack(columns))


def events_record(events: Events) -> bytes:
    """Events, with their gaps."""
    return record(
        b"EVNT",
        pack({name: getattr(events, name).astype(dtype) for name, dtype in _EVENTS.items()}),
    )


def read_json(payload: bytes) -> dict[str, Any]:
    """The JSON of HEAD, MARK or LAST. Raises ``FileFormatError``."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        raise FileFormatError("a record is damaged: it is not JSON") from None
    if not isinstance(value, dict):
        raise FileFormatError("a record is damaged: it is no object")
    return value


def read_moment(payload: bytes) -> float:
    """When the state of a SNAP or DELT was taken. Raises ``FileFormatError``."""
    at = float(_TIME.unpack_from(payload)[0]) if len(payload) >= _TIME.size else math.nan
    if not 0 <= at <= FLOAT_LIMIT:
        raise FileFormatError("a snapshot has no time")
    return at


def read_snapshot(payload: bytes) -> Snapshot:
    """A whole snapshot. Raises ``FileFormatError``."""
    return decode(payload[_TIME.size :])


def read_delta(payload: bytes) -> tuple[Snapshot, Ids]:
    """The changes, and the ids of rows that disappeared. Raises ``FileFormatError``."""
    first = _TIME.size + _COUNT.size
    count = _COUNT.unpack_from(payload, _TIME.size)[0] if len(payload) >= first else 0
    end = first + 8 * count
    if end > len(payload):
        raise FileFormatError("a record of changes is cut short")
    gone = np.frombuffer(payload, "<u8", count, first).astype(np.uint64)
    return decode(payload[end:]), gone


def read_vitals(payload: bytes) -> list[Vitals]:
    """Counters, oldest first, at most ``MAX_READINGS`` of them, evenly spread.

    Raises ``FileFormatError``.
    """
    columns = unpack(payload, _VITALS, newest="lives")
    at, widths = columns["at"], columns["types"]
    lengths = {len(columns[name]) for name in ("at", "live", "pending", "types")}
    total = len(columns["created"])
    lives = columns.get("lives", columns["created"][:0])
    fits = len(columns["released"]) == total and len(lives) in (0, total)
    if (
        len(lengths) != 1
        or not fits
        or ((widths < 0) | (widths > total)).any()
        or widths.sum() != total
        or not _are_sane(columns)
    ):
        raise FileFormatError("a record of counters is damaged")
    edges = np.concatenate(([0], np.cumsum(widths)))
    return [
        Vitals(
            at=float(at[row]),
            live=int(columns["live"][row]),
            pending=int(columns["pending"][row]),
            created=columns["created"][edges[row] : edges[row + 1]],
            released=columns["released"][edges[row] : edges[row + 1]],
            lives=lives[edges[row] : edges[row + 1]],
        )
        for row in range(0, len(at), -(-len(at) // MAX_READINGS) or 1)
    ]


def read_events(payload: bytes) -> Events:
    """Events. Raises ``FileFormatError``."""
    columns = unpack(payload, _EVENTS, newest="types")
    columns.setdefault("types", np.zeros(len(columns["kinds"]), np.int64))
    if len({len(column) for column in columns.values()}) != 1:
        raise FileFormatError("a record of events is damaged")
    if not _are_sane(columns) or not all(
        _are_indices(columns[name]) for name in ("threads", "sites", "types")
    ):
        raise FileFormatError("a record of events is damaged")
    if len(columns["kinds"]) and columns["kinds"].max() > max(EventKind):
        raise FileFormatError("a record of events is damaged")
    return Events(**{each.name: columns[each.name] for each in fields(Events)})


def _are_sane(columns: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Times that a calendar has, and counts that can be summed."""
    at = columns["at"]
    signed = [column for column in columns.values() if column.dtype.kind == "i" and len(column)]
    return bool((np.isfinite(at) & (np.abs(at) <= FLOAT_LIMIT)).all()) and all(
        -COUNT_LIMIT <= int(column.min()) <= int(column.max()) <= COUNT_LIMIT for column in signed
    )


def _are_indices(column: npt.NDArray[np.int64]) -> bool:
    return not len(column) or (int(column.min()) >= 0 and int(column.max()) < 1 << 32)
