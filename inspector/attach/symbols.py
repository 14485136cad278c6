"""Names of native functions by address: from the files mapped in a live target, and their symbol tables.

An unreadable part (a target that may not be dumped, a stripped or replaced file, damage) gives no
name, never an error. One thread.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from inspector.wire import ffi, lib
from inspector.wire.text import take_buffer, text_struct

_MAGIC: Final = b"\x7fELF\x02\x01"
"""64 bits, little endian."""
_SYMBOL_TABLES: Final = (2, 11)
"""``SHT_SYMTAB`` and ``SHT_DYNSYM``."""
_LOAD: Final = 1
_FUNCTION: Final = 2
_LONGEST_NAME: Final = 4096
_LARGEST_TABLE: Final = 256 << 20
_SYMBOL: Final = np.dtype([("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")])


class Mapped(NamedTuple):
    """A part of a file in the target's memory."""

    start: int
    end: int
    offset: int
    path: str


class Table:
    """The functions of one file, by address."""

    __slots__ = ("_loads", "_names", "_strings", "_values")

    def __init__(self, path: str) -> None:
        """Read the file. Raises ``OSError``, ``ValueError`` or ``struct.error`` when it is no ELF file that makes sense."""
        with Path(path).open("rb") as file:
            head = file.read(64)
            if not head.startswith(_MAGIC):
                raise ValueError("no ELF file of 64 bits")
            phoff, shoff = struct.unpack_from("<QQ", head, 32)
            phentsize, phnum, shentsize, shnum = struct.unpack_from("<HHHH", head, 54)
            file.seek(phoff)
            programs = file.read(phentsize * phnum)
            self._loads = [
                _load(programs, at * phentsize) for at in range(phnum) if struct.unpack_from("<I", programs, at * phentsize)[0] == _LOAD
            ]
            file.seek(shoff)
            sections = file.read(shentsize * shnum)
            headers = [struct.unpack_from("<IIQQQQIIQQ", sections, at * shentsize) for at in range(shnum)]
            table = min((header for header in headers if header[1] in _SYMBOL_TABLES), key=lambda header: _SYMBOL_TABLES.index(header[1]))
            strings = headers[table[6]]
            symbols = np.frombuffer(_part(file, table[4], table[5]), _SYMBOL)
            self._strings = _part(file, strings[4], strings[5])
        functions = symbols[((symbols["info"] & 0xF) == _FUNCTION) & (symbols["value"] != 0)]
        functions = functions[np.argsort(functions["value"], kind="stable")]
        self._values: list[int] = functions["value"].tolist()
        self._names: list[tuple[int, int]] = list(zip(functions["name"].tolist(), functions["size"].tolist(), strict=True))

    def symbol(self, file_offset: int) -> str:
        """The function that the code at an offset of the file belongs to; ``""``: none."""
        value = next((file_offset - offset + address for offset, address, size in self._loads if offset <= file_offset < offset + size), -1)
        at = bisect_right(self._values, value) - 1
        if at < 0 or value < 0:
            return ""
        name, size = self._names[at]
        if size and value >= self._values[at] + size:
            return ""
        return self._strings[name : name + _LONGEST_NAME].split(b"\0", 1)[0].decode("utf-8", "replace")


class NativeSymbols:
    """Functions of one live target."""

    def __init__(self, pid: int) -> None:
        """Nothing is read yet."""
        self._pid = pid
        self._maps: list[Mapped] = []
        self._tables: dict[str, Table | None] = {}
        self._known: dict[int, tuple[str, str]] = {}

    def __call__(self, address: int) -> tuple[str, str]:
        """Function and file of a return address; ``("", "")``: not known."""
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = self._look_up(address - 1)  # the call lies before the address that it returns to
        return known

    def _look_up(self, address: int) -> tuple[str, str]:
        mapped = self._find(address)
        if mapped is None:
            self._maps = read_maps(self._pid)
            mapped = self._find(address)
        if mapped is None or not mapped.path.startswith("/"):
            return "", ""
        table = self._table(mapped.path)
        symbol = table.symbol(address - mapped.start + mapped.offset) if table is not None else ""
        return demangled(symbol) if symbol else "", mapped.path

    def _find(self, address: int) -> Mapped | None:
        return next((mapped for mapped in self._maps if mapped.start <= address < mapped.end), None)

    def _table(self, path: str) -> Table | None:
        if path not in self._tables:
            self._tables[path] = _table(f"/proc/{self._pid}/root{path}") or _table(path)
        return self._tables[path]


def read_maps(pid: int) -> list[Mapped]:
    """The executable parts of files that a process has mapped; none when that may not be read."""
    try:
        text = Path(f"/proc/{pid}/maps").read_text(errors="replace")
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        words = line.split(None, 5)
        if len(words) == 6 and "x" in words[1]:
            start, _, end = words[0].partition("-")
            found.append(Mapped(int(start, 16), int(end, 16), int(words[2], 16), words[5]))
    return found


def demangled(symbol: str) -> str:
    """A symbol as Rust code has it."""
    native, held = text_struct(symbol)
    buffer = ffi.new("AiBuffer *")
    if lib.ai_demangle(native, buffer, ffi.NULL):
        return symbol
    del held
    return take_buffer(buffer)


def _table(path: str) -> Table | None:
    try:
        return Table(path)
    except (OSError, ValueError, IndexError, struct.error):
        return None


def _load(programs: bytes, at: int) -> tuple[int, int, int]:
    """File offset, address and size of a loaded part."""
    offset, address = struct.unpack_from("<QQ", programs, at + 8)
    (size,) = struct.unpack_from("<Q", programs, at + 32)
    return offset, address, size


def _part(file: Any, offset: int, size: int) -> bytes:
    if size > _LARGEST_TABLE:
        raise ValueError("a table of absurd size")
    file.seek(offset)
    read: bytes = file.read(size)
    return read
