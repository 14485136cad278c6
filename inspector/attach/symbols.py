"""Names of native functions by address.

They come from the files mapped in a live target, and their symbol tables.

An unreadable part (a target that may not be dumped, a stripped or replaced file, damage) gives no
name, never an error. One thread.
"""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Final

import numpy as np

from inspector.attach.elf import ElfError, ElfFile
from inspector.attach.procfs import MappedRange, inside, mappings
from inspector.wire import ffi, lib
from inspector.wire.text import take_buffer, text_struct

_FUNCTION: Final = 2
_LONGEST_NAME: Final = 4096
_SYMBOL: Final = np.dtype(
    [
        ("name", "<u4"),
        ("info", "u1"),
        ("other", "u1"),
        ("section", "<u2"),
        ("value", "<u8"),
        ("size", "<u8"),
    ]
)


class Table:
    """The functions of one file, by address."""

    __slots__ = ("_file", "_names", "_strings", "_values")

    def __init__(self, path: str | Path) -> None:
        """Read the file. Raises ``ElfError`` when it is no ELF file that makes sense."""
        with ElfFile(path) as self._file:
            records, self._strings = self._file.symbol_table()
        symbols = np.frombuffer(records, _SYMBOL)
        functions = symbols[((symbols["info"] & 0xF) == _FUNCTION) & (symbols["value"] != 0)]
        functions = functions[np.argsort(functions["value"], kind="stable")]
        self._values: list[int] = functions["value"].tolist()
        self._names: list[tuple[int, int]] = list(
            zip(functions["name"].tolist(), functions["size"].tolist(), strict=True)
        )

    def symbol(self, file_offset: int) -> str:
        """The function that the code at an offset of the file belongs to; ``""``: none."""
        value = self._file.loaded_at(file_offset)
        at = -1 if value is None else bisect_right(self._values, value) - 1
        if value is None or at < 0:
            return ""
        name, size = self._names[at]
        if size and value >= self._values[at] + size:
            return ""
        return (
            self._strings[name : name + _LONGEST_NAME].split(b"\0", 1)[0].decode("utf-8", "replace")
        )


class NativeSymbols:
    """Functions of one live target."""

    def __init__(self, pid: int) -> None:
        """Nothing is read yet."""
        self._pid = pid
        self._code: list[MappedRange] = []
        self._tables: dict[str, Table | None] = {}
        self._known: dict[int, tuple[str, str]] = {}

    def __call__(self, address: int) -> tuple[str, str]:
        """Function and file of a return address; ``("", "")``: not known."""
        known = self._known.get(address)
        if known is None:
            # the call lies before the address that it returns to
            known = self._known[address] = self._look_up(address - 1)
        return known

    def _look_up(self, address: int) -> tuple[str, str]:
        mapped = self._find(address)
        if mapped is None:
            self._code = [each for each in mappings(self._pid) or () if each.is_code]
            mapped = self._find(address)
        if mapped is None or not mapped.path.startswith("/"):
            return "", ""
        table = self._table(mapped.path)
        symbol = table.symbol(address - mapped.low + mapped.offset) if table is not None else ""
        return demangled(symbol) if symbol else "", mapped.path

    def _find(self, address: int) -> MappedRange | None:
        return next((each for each in self._code if each.low <= address < each.high), None)

    def _table(self, path: str) -> Table | None:
        if path not in self._tables:
            self._tables[path] = _table(inside(self._pid, path)) or _table(Path(path))
        return self._tables[path]


def demangled(symbol: str) -> str:
    """A symbol as Rust code has it."""
    native, held = text_struct(symbol)
    buffer = ffi.new("AiBuffer *")
    if lib.ai_demangle(native, buffer, ffi.NULL):
        return symbol
    del held
    return take_buffer(buffer)


def _table(path: Path) -> Table | None:
    try:
        return Table(path)
    except ElfError:
        return None
