"""The last minutes of a recording in memory, as the records that a session file has.

The records lie in parts. Each part begins with a whole snapshot, so the oldest part can go and the
rest can be read. The recorder's thread writes; any thread may read the counts.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from inspector.errors import FileFormatError
from inspector.model.session_file import RECORD, json_record
from inspector.whole_files import write_whole

MOST_BYTES: Final = 256 << 20
"""Memory for the records: ten minutes of 100,000 handles that change seldom. The oldest minutes
leave early beyond it."""
_TIME: Final = struct.Struct("<d")


@dataclass(slots=True)
class _Part:
    """Records from one whole snapshot up to the next."""

    at: float
    """When the snapshot was taken."""
    records: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    snapshots: int = 0


class RingFile:
    """Takes the records of a ``SessionRecorder`` in place of a file."""

    def __init__(self, keep_secs: float, *, most_bytes: int = MOST_BYTES) -> None:
        """Keep so many seconds, or fewer where they take more memory than ``most_bytes``."""
        self._keep_secs, self._most_bytes = keep_secs, most_bytes
        self._start: list[bytes] = []
        self._parts: deque[_Part] = deque()
        self._size_bytes = 0
        self.covered_secs = 0.0
        """From the first snapshot that is kept to the newest."""
        self.left_early = 0
        """Snapshots that the memory had no room for, although they were not old enough to go."""

    def write(self, record: bytes) -> int:
        """Take one record: its kind says whether a new part begins."""
        kind = record[:4]
        if kind in (b"SNAP", b"DELT"):
            (at,) = _TIME.unpack_from(record, RECORD.size)
            if kind == b"SNAP":
                self._parts.append(_Part(at))
            self._parts[-1].snapshots += 1
            self._drop_old(at)
        if self._parts:
            self._parts[-1].records.append(record)
            self._parts[-1].size_bytes += len(record)
            self._size_bytes += len(record)
        elif kind not in (b"VITL", b"MARK"):  # counters from before the first snapshot
            self._start.append(record)
        return len(record)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """The records stay, for ``save``."""

    def save(self, path: Path, *, left_out: int = 0) -> int:
        """Write a whole session file and return how many snapshots it has.

        ``left_out``: snapshots that came faster than the recorder took them.

        Raises ``FileExistsError``, and ``FileFormatError`` when it cannot be written.
        """
        count = sum(part.snapshots for part in self._parts)
        last = json_record(b"LAST", {"snapshots": count, "left_out": left_out})
        try:
            write_whole(path, b"".join([*self._records(), last]), may_replace=False)
        except FileExistsError:
            raise
        except OSError as error:
            raise FileFormatError(
                f"cannot write the session file: {error.strerror or error}: {path}"
            ) from error
        return count

    def _records(self) -> Iterator[bytes]:
        yield from self._start
        for part in self._parts:
            yield from part.records

    def _drop_old(self, at: float) -> None:
        """Drop parts that the next part makes superfluous, and parts without room."""
        while len(self._parts) > 1 and self._parts[1].at <= at - self._keep_secs:
            self._size_bytes -= self._parts.popleft().size_bytes
        while len(self._parts) > 1 and self._size_bytes > self._most_bytes:
            part = self._parts.popleft()
            self._size_bytes -= part.size_bytes
            self.left_early += part.snapshots
        self.covered_secs = at - self._parts[0].at
