"""Reads words of this process by address, without the risk of a crash.

Native code has the system copy them, which checks the address.

About 1 µs; for calibration, not for hot paths.
"""

from __future__ import annotations

from typing import Final

from inspector.wire import ffi, lib

WORD_BYTES: Final = 8


def word(address: int) -> int | None:
    """The 8 bytes at an address as a number.

    ``None`` when they cannot be read, or the system does not allow that.
    """
    if address <= 0 or address % WORD_BYTES or address >= 1 << 63:
        return None
    found = ffi.new("uint64_t *")
    return int(found[0]) if lib.ai_word(address, found) else None
