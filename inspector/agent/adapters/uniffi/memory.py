"""Reads words of this process by address, without the risk of a crash.

``/proc/self/mem`` answers an address that is not mapped with an error, where a load would end the process. It is opened for
one reading at a time: after a fork an open descriptor would still show the parent. About 5 µs; for calibration, not for hot paths.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

MEMORY: Final = "/proc/self/mem"
WORD_BYTES: Final = 8


class Memory(NamedTuple):
    """This process's memory, for the time of one ``opened``."""

    descriptor: int

    def word(self, address: int) -> int | None:
        """The 8 bytes at an address as a number, ``None`` when they cannot be read."""
        if address <= 0 or address % WORD_BYTES or address >= 1 << 63:
            return None
        try:
            read = os.pread(self.descriptor, WORD_BYTES, address)
        except OSError:
            return None
        return int.from_bytes(read, sys.byteorder) if len(read) == WORD_BYTES else None


@contextmanager
def opened() -> Iterator[Memory | None]:
    """This process's memory; ``None`` where the system does not give it (not Linux, or a process that may not be dumped)."""
    try:
        descriptor = os.open(MEMORY, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield Memory(descriptor)
    finally:
        os.close(descriptor)
