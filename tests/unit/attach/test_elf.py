"""Any bytes may come as an ELF file: an answer or one error, in bounded memory."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.attach.elf import ElfError, ElfFile, machine_of
from inspector.wire import native_file

CONTENT = Path(native_file()).read_bytes()
WHOLE = CONTENT[:4096]


def test_exported_functions_are_found_and_others_are_not():
    with ElfFile(native_file()) as file:
        found = file.symbols(["PyInit__native", "no_such_function"])
        assert list(found) == ["PyInit__native"]
        assert file.symbols_with("PyInit__nat") == found
        assert file.symbols_with("no_such") == {}
    assert machine_of(sys.executable) == "x86-64"


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_an_answer_or_one_error(tmp_path: Path, data: st.DataObject):
    damaged = bytearray(WHOLE[: data.draw(st.integers(0, len(WHOLE)))])
    for _ in range(data.draw(st.integers(0, 8))):
        if damaged:
            damaged[data.draw(st.integers(0, min(len(damaged), 64) - 1))] = data.draw(
                st.integers(0, 255)
            )
    path = tmp_path / "damaged.so"
    path.write_bytes(damaged)
    with contextlib.suppress(ElfError):
        machine_of(path)
        with ElfFile(path) as file:
            file.symbols(["main"])
            file.address_at(0)


def test_a_table_of_terabytes_is_refused(tmp_path: Path):
    damaged = bytearray(WHOLE[:64]) + bytes(4096)
    struct.pack_into("<Q", damaged, 40, 1 << 50)
    path = tmp_path / "huge.so"
    path.write_bytes(damaged)
    with pytest.raises(ElfError, match="damaged"):
        ElfFile(path)


def test_a_section_of_terabytes_is_refused(tmp_path: Path):
    """The table of symbols is said to be as long as the address space."""
    damaged = bytearray(CONTENT)
    (sections,) = struct.unpack_from("<Q", damaged, 40)
    (count,) = struct.unpack_from("<H", damaged, 60)
    for at in range(sections, sections + 64 * count, 64):
        if struct.unpack_from("<I", damaged, at + 4)[0] == 11:
            struct.pack_into("<Q", damaged, at + 32, 1 << 45)
    path = tmp_path / "huge.so"
    path.write_bytes(damaged)
    with ElfFile(path) as file, pytest.raises(ElfError, match="damaged"):
        file.symbols(["main"])


def test_programs_for_other_machines_are_named(tmp_path: Path):
    for number, name in ((183, "arm64"), (3, "i386"), (777, "machine 777")):
        other = bytearray(WHOLE[:64])
        struct.pack_into("<H", other, 18, number)
        path = tmp_path / name
        path.write_bytes(other)
        assert machine_of(path) == name
        with pytest.raises(ElfError, match="not a 64-bit x86 program"):
            ElfFile(path)


def test_files_that_cannot_be_read_are_errors_and_a_pipe_does_not_block(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "nothing", "No such file"),
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
    ):
        for read in (ElfFile, machine_of):
            with pytest.raises(ElfError, match=reason):
                read(path)
