"""Symbols of an ELF file, through the native reader.

Any bytes may come; errors are ``ElfError``. Files are read in bounded pieces; nothing of them is
executed or mapped. Any thread.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, Self

from inspector.errors import AttachError
from inspector.wire import ffi, lib
from inspector.wire.status import message_of, new_error
from inspector.wire.text import take_buffer, take_bytes, text_struct

_ADDRESS_BYTES: Final = 8


class ElfError(AttachError):
    """Not an ELF file of this machine's kind, or a damaged file."""


def machine_of(path: str | Path) -> str:
    """``x86-64``, ``i386`` and so on. Raises ``ElfError``."""
    name = os.fsencode(path)
    buffer, error = ffi.new("AiBuffer *"), new_error()
    _check(lib.ai_elf_machine(ffi.from_buffer("uint8_t[]", name), len(name), buffer, error), error)
    return take_buffer(buffer)


class ElfFile:
    """An open 64-bit little-endian ELF file. Use it in ``with``. One thread at a time."""

    def __init__(self, path: str | Path) -> None:
        """Open and read its tables of contents. Raises ``ElfError``."""
        name = os.fsencode(path)
        error = new_error()
        file = lib.ai_elf_open(ffi.from_buffer("uint8_t[]", name), len(name), error)
        if file == ffi.NULL:
            raise ElfError(message_of(error))
        self._file = ffi.gc(file, lib.ai_elf_close)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the file; reading afterwards is an error."""
        self._file = ffi.NULL

    def address_at(self, offset: int) -> int:
        """The address, before relocation, of an offset of the file, or of its page's start.

        Raises ``ElfError``.
        """
        address, error = ffi.new("uint64_t *"), new_error()
        _check(lib.ai_elf_address_at(self._file, offset, address, error), error)
        return int(address[0])

    def symbols(self, names: Collection[str]) -> dict[str, int]:
        """Addresses, before relocation, of the exported names that exist. Raises ``ElfError``."""
        return self._exports(names, are_starts=False)

    def symbols_with(self, start: str) -> dict[str, int]:
        """Addresses, before relocation, of exported names that begin so. Raises ``ElfError``."""
        return self._exports([start], are_starts=True)

    def _exports(self, names: Collection[str], *, are_starts: bool) -> dict[str, int]:
        wanted, held = text_struct("\n".join(names))
        buffer, error = ffi.new("AiBuffer *"), new_error()
        _check(lib.ai_elf_exports(self._file, wanted, are_starts, buffer, error), error)
        del held
        return _exported(take_bytes(buffer))


def _exported(answer: bytes) -> dict[str, int]:
    """Addresses by name, the first of each name."""
    found: dict[str, int] = {}
    at = 0
    while at < len(answer):
        end = answer.index(b"\0", at + _ADDRESS_BYTES)
        name = answer[at + _ADDRESS_BYTES : end].decode(errors="replace")
        found.setdefault(name, int.from_bytes(answer[at : at + _ADDRESS_BYTES], "little"))
        at = end + 1
    return found


def _check(status: int, error: Any) -> None:
    if status:
        raise ElfError(message_of(error))
