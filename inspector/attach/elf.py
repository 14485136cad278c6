"""Symbols and sections of an ELF file: as much as finding a function in another process needs.

Any bytes may come; errors are ``ElfError``.

Reads the file in bounded pieces; executes and maps nothing. Any thread.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.errors import AttachError

X86_64: Final = 62
_HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION: Final = struct.Struct("<IIQQQQIIQQ")
_SEGMENT: Final = struct.Struct("<IIQQQQQQ")
_SYMBOL: Final = struct.Struct("<IBBHQQ")
_LOAD: Final = 1
_ALL_SYMBOLS: Final = 2
_DYNAMIC_SYMBOLS: Final = 11
_MAX_TABLE_BYTES: Final = 64 << 20
_MAX_SYMBOL_BYTES: Final = 256 << 20
"""Size of the table of all symbols, which has millions in a library with debug information."""
_MACHINES: Final = {
    3: "i386",
    40: "arm",
    62: "x86-64",
    183: "arm64",
    243: "riscv",
    21: "ppc64",
    22: "s390x",
}


class ElfError(AttachError):
    """Not an ELF file of this machine's kind, or a damaged file."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the file."""

    name: str
    kind: int
    address: int
    offset: int
    size_bytes: int
    link: int
    """Index of the section that belongs to it."""


def machine_of(path: str | Path) -> str:
    """``x86-64``, ``i386`` and so on. Raises ``ElfError``."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a bound is wanted
            start = file.read(20)
    except OSError as error:
        raise ElfError(f"{error.strerror}: {path}") from error
    if len(start) < 20 or start[:4] != b"\x7fELF":
        raise ElfError(f"not a program of this system: {path}")
    number = int.from_bytes(start[18:20], "little")
    if number == X86_64 and start[4] != 2:
        return "x32"
    return _MACHINES.get(number, f"machine {number}")


class ElfFile:
    """An open 64-bit little-endian ELF file. Use it in ``with``."""

    def __init__(self, path: str | Path) -> None:
        """Open and read its tables of contents. Raises ``ElfError``."""
        self.path = os.fspath(path)
        try:
            self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise ElfError(f"{error.strerror}: {self.path}") from error
        try:
            self._read_tables()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> ElfFile:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def identity(self) -> tuple[int, int]:
        """Device and inode."""
        found = os.fstat(self._file)
        return found.st_dev, found.st_ino

    def address_at(self, offset: int) -> int:
        """The address, before relocation, of an offset of the file, or of its page's start.

        Raises ``ElfError``.
        """
        for kind, _, start, address, _, size_bytes, _, _ in self._segments:
            if kind == _LOAD and start - start % 4096 <= offset < start + size_bytes:
                return int(address - start + offset)
        raise ElfError(f"nothing is loaded from offset {offset}: {self.path}")

    def loaded_at(self, offset: int) -> int | None:
        """The address, before relocation, of the very byte at an offset of the file.

        ``None``: the byte belongs to no segment.
        """
        for kind, _, start, address, _, size_bytes, _, _ in self._segments:
            if kind == _LOAD and start <= offset < start + size_bytes:
                return int(address - start + offset)
        return None

    def section(self, name: str) -> Section | None:
        """A section by its name."""
        return next((each for each in self._sections if each.name == name), None)

    def symbols(self, names: Collection[str]) -> dict[str, int]:
        """Addresses, before relocation, of the exported names that exist."""
        wanted = {name.encode(): name for name in names}
        found: dict[str, int] = {}
        for table in (each for each in self._sections if each.kind == _DYNAMIC_SYMBOLS):
            strings = (
                self._bytes_of(self._sections[table.link])
                if table.link < len(self._sections)
                else b""
            )
            for start, _, _, section, value, _ in _SYMBOL.iter_unpack(self._whole(table)):
                end = strings.find(b"\0", start)
                name = wanted.get(strings[start:end])
                if name is not None and section and value:
                    found.setdefault(name, value)
        return found

    def exported(self, pattern: re.Pattern[bytes]) -> list[bytes]:
        """First groups of all exported symbols that the pattern matches whole."""
        found = []
        for table in (
            each
            for each in self._sections
            if each.kind == _DYNAMIC_SYMBOLS and each.link < len(self._sections)
        ):
            names = self._bytes_of(self._sections[table.link]).split(b"\0")
            found += [matched[1] for name in names if (matched := pattern.fullmatch(name))]
        return found

    def symbols_with(self, prefix: bytes) -> dict[str, int]:
        """Addresses, before relocation, of exported names that begin so."""
        found: dict[str, int] = {}
        for table in (
            each
            for each in self._sections
            if each.kind == _DYNAMIC_SYMBOLS and each.link < len(self._sections)
        ):
            strings = self._bytes_of(self._sections[table.link])
            if prefix not in strings:
                continue
            for start, _, _, section, value, _ in _SYMBOL.iter_unpack(self._whole(table)):
                if section and strings.startswith(prefix, start):
                    found[strings[start : strings.find(b"\0", start)].decode(errors="replace")] = (
                        value
                    )
        return found

    def symbol_table(self) -> tuple[bytes, bytes]:
        """Records and names of all symbols, or of the exported symbols in a stripped file.

        Empty without symbols.

        Raises ``ElfError``.
        """
        tables = [
            each
            for each in self._sections
            if each.kind in (_ALL_SYMBOLS, _DYNAMIC_SYMBOLS) and each.link < len(self._sections)
        ]
        if not tables:
            return b"", b""
        table = min(tables, key=lambda each: each.kind)
        names = self._sections[table.link]
        whole_bytes = table.size_bytes - table.size_bytes % _SYMBOL.size
        return self.read(table.offset, whole_bytes, _MAX_SYMBOL_BYTES), self.read(
            names.offset, names.size_bytes, _MAX_SYMBOL_BYTES
        )

    def read(self, offset: int, size_bytes: int, most_bytes: int = _MAX_TABLE_BYTES) -> bytes:
        """Bytes of the file.

        Raises ``ElfError`` when it has fewer, or more than ``most_bytes`` are asked for.
        """
        if size_bytes > most_bytes or offset < 0:
            raise ElfError(f"damaged, a table of {size_bytes} bytes: {self.path}")
        try:
            found = os.pread(self._file, size_bytes, offset)
        except (OSError, OverflowError) as error:
            raise ElfError(f"damaged: {self.path}") from error
        if len(found) < size_bytes:
            raise ElfError(f"damaged, it ends too early: {self.path}")
        return found

    def _read_tables(self) -> None:
        header = _HEADER.unpack(self.read(0, _HEADER.size))
        (
            ident,
            _,
            machine,
            _,
            _,
            segments_at,
            sections_at,
            _,
            _,
            segment_bytes,
            segments,
            section_bytes,
            sections,
            names,
        ) = header
        if ident[:6] != b"\x7fELF\x02\x01" or machine != X86_64:
            raise ElfError(f"not a 64-bit x86 program: {self.path}")
        if segment_bytes != _SEGMENT.size or section_bytes != _SECTION.size:
            raise ElfError(f"damaged, or stripped of its sections: {self.path}")
        self._segments = list(
            _SEGMENT.iter_unpack(self.read(segments_at, segments * _SEGMENT.size))
        )
        rows = list(_SECTION.iter_unpack(self.read(sections_at, sections * _SECTION.size)))
        unnamed = [
            Section("", kind, address, offset, size, link)
            for _, kind, _, address, offset, size, link, _, _, _ in rows
        ]
        text = self._bytes_of(unnamed[names]) if names < len(unnamed) else b""
        self._sections = [
            Section(
                text[row[0] : text.find(b"\0", row[0])].decode(errors="replace"),
                each.kind,
                each.address,
                each.offset,
                each.size_bytes,
                each.link,
            )
            for row, each in zip(rows, unnamed, strict=True)
        ]

    def _bytes_of(self, section: Section) -> bytes:
        return self.read(section.offset, section.size_bytes)

    def _whole(self, table: Section) -> bytes:
        """Its records, without the remainder."""
        return self.read(table.offset, table.size_bytes - table.size_bytes % _SYMBOL.size)
