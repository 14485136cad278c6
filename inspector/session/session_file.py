"""A session file on disk: an index of its records, and the snapshot of any recorded moment.

One thread at a time.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

import numpy as np

from inspector.errors import FileFormatError
from inspector.model.delta import applied
from inspector.model.events import KEPT_EVENTS, Events, joined
from inspector.model.session_file import (
    HEAD,
    KINDS,
    MAX_RECORD_BYTES,
    RECORD,
    check_start,
    checksum,
    read_delta,
    read_events,
    read_json,
    read_moment,
    read_snapshot,
    read_vitals,
)
from inspector.model.snapshot import Floats, Snapshot, Vitals
from inspector.plain_text import printable
from inspector.regular_files import open_regular

MAX_VITALS: Final = 4096
"""Counters that are kept for the timeline; of more every second one goes, again and again."""
MAX_MARKS: Final = 1000
MAX_PARTS: Final = 1000
"""Records of events that are kept apart; then they become one."""
MAX_CHAIN: Final = 64
"""Changes that may follow on one whole snapshot; a recorder writes half as many before it writes a
whole one."""


@dataclass(slots=True)
class _Index:
    """Offsets of the file's records."""

    states: list[tuple[int, bytes]] = field(default_factory=list)
    """Offset and kind of each record of a snapshot that can be reached."""
    moments: list[float] = field(default_factory=list)
    vitals: list[Vitals] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)
    events: list[Events] = field(default_factory=list)
    damaged: int = 0
    left_out: int = 0
    is_whole: bool = False
    """The recording was ended properly."""
    trailing_bytes: int = 0


class SessionFile:
    """An open session file. Use it in ``with``, or ``close`` it."""

    def __init__(self, path: Path) -> None:
        """Read the index.

        Raises ``FileFormatError``, one line, when there is no snapshot to show.
        """
        self.path = path
        try:
            self._file: BinaryIO = open_regular(path)
        except OSError as error:
            raise FileFormatError(
                f"cannot read the session file: {error.strerror or error}: {path}"
            ) from error
        self._index = _Index()
        self._last: tuple[int, Snapshot] | None = None
        self._chain = 0
        try:
            self._scan()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    @property
    def moments(self) -> Floats:
        """When the snapshots were taken, ascending."""
        return np.array(self._index.moments, np.float64)

    @property
    def vitals(self) -> tuple[Vitals, ...]:
        """Counters over the whole time, at most ``MAX_VITALS``."""
        return tuple(self._index.vitals)

    @property
    def marks(self) -> tuple[tuple[float, str], ...]:
        """Time and name of each mark."""
        return tuple(sorted(self._index.marks))

    @property
    def events(self) -> Events:
        """The events, as far as they were recorded; the newest of many."""
        return joined(self._index.events)

    @property
    def trouble(self) -> str:
        """The file's fault, a sentence without a full stop; ``""``: nothing."""
        index = self._index
        said = []
        if index.damaged:
            said.append(f"{index.damaged:,} damaged record{'s' * (index.damaged != 1)} left out")
        if index.trailing_bytes:
            said.append(f"the last {index.trailing_bytes:,} bytes are no whole record")
        elif not index.is_whole:
            said.append("the recording was not ended, or is still going on")
        if index.left_out:
            said.append(
                f"{index.left_out:,} snapshot{'s' * (index.left_out != 1)} came faster "
                "than they could be written"
            )
        return "; ".join(said)

    def snapshot(self, number: int) -> Snapshot:
        """The snapshot with that place among ``moments``. Raises ``FileFormatError``."""
        states = self._index.states
        first = number
        while states[first][1] == b"DELT" and not (self._last and self._last[0] == first):
            first -= 1
        known = self._last[1] if self._last and self._last[0] == first else None
        state = known or read_snapshot(self._payload(states[first][0]))
        for place in range(first + 1, number + 1):
            state = applied(state, *read_delta(self._payload(states[place][0])))
        self._last = number, state
        return state

    def _scan(self) -> None:
        size_bytes = os.fstat(self._file.fileno()).st_size
        try:
            check_start(self._file.read(HEAD.size))
        except FileFormatError as error:
            raise FileFormatError(f"{error}: {self.path}") from None
        offset = HEAD.size
        is_reachable = False
        while (found := self._record_at(offset, size_bytes)) is not None:
            kind, payload = found
            is_reachable = self._note(offset, kind, payload, is_reachable=is_reachable)
            offset = self._file.tell()
        self._index.trailing_bytes = size_bytes - offset
        if not self._index.states:
            why = self.trouble or "nothing was recorded"
            raise FileFormatError(
                f"the session file holds no snapshot that can be read ({why}): {self.path}"
            )

    def _record_at(self, offset: int, size_bytes: int) -> tuple[bytes, bytes | None] | None:
        """Kind and payload of the record, ``None`` as payload when it is damaged.

        ``None`` where no record begins.
        """
        self._file.seek(offset)
        head = self._file.read(RECORD.size)
        if len(head) < RECORD.size:
            return None
        kind, length, expected = RECORD.unpack(head)
        if (
            length > MAX_RECORD_BYTES
            or offset + RECORD.size + length > size_bytes
            or not (kind.isalpha() and kind.isupper())
        ):
            return None
        payload = self._file.read(length)
        return kind, payload if checksum(kind, payload) == expected else None

    def _note(self, offset: int, kind: bytes, payload: bytes | None, *, is_reachable: bool) -> bool:
        """Take a record into the index; whether a delta may follow now."""
        index = self._index
        if payload is None:
            index.damaged += 1
            return is_reachable and kind not in (b"SNAP", b"DELT")
        try:
            if kind in (b"SNAP", b"DELT"):
                return self._note_state(offset, kind, payload, is_reachable=is_reachable)
            if kind in KINDS:
                self._note_other(kind, payload)
        except FileFormatError:
            index.damaged += 1
        return is_reachable

    def _note_state(self, offset: int, kind: bytes, payload: bytes, *, is_reachable: bool) -> bool:
        """The state itself is read when it is wanted."""
        index = self._index
        at = read_moment(payload)
        is_late = bool(index.moments) and at < index.moments[-1]
        self._chain = self._chain + 1 if kind == b"DELT" else 0
        if is_late or (kind == b"DELT" and not is_reachable) or self._chain > MAX_CHAIN:
            index.damaged += 1
            return False
        index.states.append((offset, kind))
        index.moments.append(at)
        return True

    def _note_other(self, kind: bytes, payload: bytes) -> None:
        index = self._index
        if kind == b"VITL":
            index.vitals += read_vitals(payload)
            while len(index.vitals) > MAX_VITALS:
                index.vitals = index.vitals[::2]
        elif kind == b"EVNT":
            index.events.append(read_events(payload))
            if sum(map(len, index.events)) > 2 * KEPT_EVENTS or len(index.events) > MAX_PARTS:
                index.events = [joined(index.events)]
        elif kind == b"MARK":
            _note_mark(index, read_json(payload))
        elif kind == b"LAST":
            left_out = read_json(payload).get("left_out")
            index.left_out = (
                left_out
                if isinstance(left_out, int) and not isinstance(left_out, bool) and left_out > 0
                else 0
            )
            index.is_whole = True

    def _payload(self, offset: int) -> bytes:
        self._file.seek(offset)
        _, length, _ = RECORD.unpack(self._file.read(RECORD.size))
        return self._file.read(length)


def _note_mark(index: _Index, value: dict[str, object]) -> None:
    at, name = value.get("at"), value.get("name")
    if (
        not isinstance(at, int | float)
        or isinstance(at, bool)
        or not math.isfinite(at)
        or not isinstance(name, str)
    ):
        raise FileFormatError("a mark is damaged")
    if len(index.marks) < MAX_MARKS:
        index.marks.append((float(at), printable(name[:200])))
