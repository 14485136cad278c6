"""Functions, files and lines of native code in a live target, by address.

They come from the files that are mapped into the target, read natively. An unreadable part (a
target that may not be dumped, a stripped or replaced file, damage) gives no name, never an error.
One thread at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from inspector.plain_text import printable
from inspector.wire import ffi, lib
from inspector.wire.status import new_error
from inspector.wire.text import take_bytes

_TEXTS: Final = 3
"""For each place: function, file, line."""


@dataclass(frozen=True, slots=True)
class NativePlace:
    """A place in the source of native code."""

    function: str
    """As Rust and C++ sources have it; ``""``: not known."""
    file: str
    """``""``: not known."""
    line: int
    """0: not known."""


@dataclass(frozen=True, slots=True)
class NativeCode:
    """The native code at an address."""

    places: tuple[NativePlace, ...] = ()
    """The place itself, and around it the places into which it was inlined, innermost first.
    Empty: the function is not known."""
    library: str = ""
    """Path as the target sees it; ``""``: none is known."""
    reason: str = ""
    """Why the library told no lines although it should; ``""``: it did, or it has none."""


class NativeSymbols:
    """Native code of one live target. Each address is looked up once."""

    def __init__(self, pid: int) -> None:
        """Nothing is read yet."""
        self._symbols = ffi.gc(lib.ai_symbols_new(pid), lib.ai_symbols_free)
        self._known: dict[int, NativeCode] = {}

    def __call__(self, address: int) -> NativeCode:
        """The code of the call that returns to an address."""
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = self._look_up(address)
        return known

    def _look_up(self, address: int) -> NativeCode:
        buffer, error = ffi.new("AiBuffer *"), new_error()
        if lib.ai_symbols_at(self._symbols, address, buffer, error):
            return NativeCode()
        library, reason, *texts = take_bytes(buffer).split(b"\0")[:-1]
        return NativeCode(tuple(_places(texts)), _text(library), _text(reason))


def _places(texts: list[bytes]) -> Iterator[NativePlace]:
    for at in range(0, len(texts), _TEXTS):
        function, file, line = texts[at : at + _TEXTS]
        yield NativePlace(_text(function), _text(file), int(line))


def _text(raw: bytes) -> str:
    return printable(os.fsdecode(raw))
