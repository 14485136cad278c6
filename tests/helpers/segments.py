"""Writes segments for tests, with the layout's own dtypes, as a target would."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inspector.session.dtypes import dtype_of
from inspector.vocabulary import Kind, Reference
from inspector.wire.schema import (
    COUNT_UNKNOWN,
    LAYOUT_VERSION,
    MAGIC,
    OUTER_UNKNOWN,
    STRONG_UNKNOWN,
    ThreadState,
)

PAGE = 4096
TICKS_PER_SEC = 1_000
ANCHOR_TICKS = 1_000_000
ANCHOR_SECS = 1_750_000_000
"""At ``ANCHOR_TICKS`` the wall clock said this."""
RING_BYTES = 64 + 4096 * 32


@dataclass
class SegmentImage:
    """The content of a segment. Records are mappings of field names to values; index 0 is added."""

    header: Mapping[str, Any] = field(default_factory=dict)
    threads: Sequence[Mapping[str, Any]] = ()
    types: Sequence[Mapping[str, Any]] = ()
    sites: Sequence[Sequence[tuple[str, str, int] | int]] = ()
    """Stacks of (function, file, line), or of return addresses of native code, innermost first."""
    handles: Sequence[Mapping[str, Any]] = ()
    """A ``generation`` of 1, ``LIVE`` and unknown counts unless said otherwise."""

    def to_bytes(self) -> bytes:
        """The whole file."""
        frames, sites, strings = self._names()
        parts = {
            "threads": _records(
                "AiThreadSlot", [{"state": ThreadState.LIVE, **each} for each in self.threads]
            ),
            "types": _records(
                "AiTypeSlot", [{"ready": 1, "kind": Kind.ARC, **each} for each in self.types]
            ),
            "sites": sites,
            "frames": frames,
            "strings": np.frombuffer(strings, np.uint8),
            "handles": _records("AiHandleSlot", [_row(each) for each in self.handles]),
            "rings": np.zeros(1, np.dtype((np.void, RING_BYTES))),
        }
        header = np.zeros(1, dtype_of("AiHeader"))
        _fill(header[0], self._header())
        body = bytearray(PAGE)
        for name, records in parts.items():
            header[name]["offset"] = len(body)
            header[name]["record_bytes"] = records.dtype.itemsize
            header[name]["capacity"] = len(records)
            header[name]["used"] = 0 if name == "rings" else len(records)
            content = records.tobytes()
            body += content + bytes(-len(content) % PAGE)
        body[: header.nbytes] = header.tobytes()
        return bytes(body)

    def _header(self) -> dict[str, Any]:
        pid = os.getpid()
        return {
            "magic": MAGIC,
            "layout_version": LAYOUT_VERSION,
            "header_bytes": dtype_of("AiHeader").itemsize,
            "pid": pid,
            "uid": os.geteuid(),
            "start_time": 7,
            "level": 2,
            "idle_level": 1,
            "clock_source": 2,
            "ticks_per_sec": TICKS_PER_SEC,
            "anchor_ticks": ANCHOR_TICKS,
            "anchor_unix_nanos": ANCHOR_SECS * 1_000_000_000,
            "program": b"python /srv/app.py --serve",
            "runtime": b"CPython 3.11.7",
            "live_handles": sum(each.get("reference_state", 1) in (1, 2) for each in self.handles),
            **self.header,
        }

    def _names(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], bytes]:
        strings = bytearray(8)
        offsets: dict[str, int] = {"": 0}
        frames: list[dict[str, Any]] = []
        sites: list[dict[str, Any]] = []
        for stack in self.sites:
            first = len(frames) + 1
            for place in stack:
                if isinstance(place, int):
                    frames.append({"address": place, "ready": 1})
                    continue
                function, file, line = place
                for text in (function, file):
                    if text not in offsets:
                        offsets[text] = len(strings)
                        strings += struct.pack("<I", len(text.encode())) + text.encode()
                frames.append(
                    {"function": offsets[function], "file": offsets[file], "line": line, "ready": 1}
                )
            sites.append(
                {"frame_count": len(stack), "frames": list(range(first, first + len(stack)))}
            )
        return _records("AiFrameSlot", frames), _records("AiSiteSlot", sites), bytes(strings)


def at(secs: float) -> int:
    """Ticks of the moment so many seconds after the anchor."""
    return ANCHOR_TICKS + round(secs * TICKS_PER_SEC)


def write_segment(path: Path, image: SegmentImage) -> Path:
    """Write the file; no process holds its lock, as after a crash."""
    path.write_bytes(image.to_bytes())
    path.chmod(0o600)
    return path


@contextmanager
def lock_held(path: Path) -> Iterator[int]:
    """Another process holds the lock on byte 0, as a living target does; yields its pid."""
    ready, hold = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        descriptor = os.open(path, os.O_RDWR)
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, 0)
        os.close(hold[1])
        os.write(ready[1], b"1")
        os.read(hold[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    try:
        yield pid
    finally:
        for descriptor in (*hold, *ready):
            os.close(descriptor)
        os.waitpid(pid, 0)


def _row(given: Mapping[str, Any]) -> dict[str, Any]:
    row = {
        "reference_state": Reference.LIVE,
        "generation": 1,
        "type_id": 1,
        "strong": STRONG_UNKNOWN,
        "weak": COUNT_UNKNOWN,
        "in_flight": COUNT_UNKNOWN,
        "outer_strong": OUTER_UNKNOWN,
    }
    return row | dict(given)


def _records(record: str, rows: Sequence[Mapping[str, Any]]) -> np.ndarray[Any, Any]:
    records = np.zeros(len(rows) + 1, dtype_of(record))
    for index, row in enumerate(rows, 1):
        _fill(records[index], row)
    return records


def _fill(record: Any, values: Mapping[str, Any]) -> None:
    """Set fields of one record.

    Texts are given as bytes, arrays may be shorter than the field, records are mappings.
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            _fill(record[name], value)
        elif isinstance(value, bytes):
            record[name][: len(value)] = np.frombuffer(value, np.uint8)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for index, each in enumerate(value):
                _fill(record[name][index], each)
        elif isinstance(value, list):
            record[name][: len(value)] = value
        else:
            record[name] = value
