"""Any bytes may come as an ELF file: an answer or one error, in bounded memory."""

from __future__ import annotations

import contextlib
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.attach.elf import ElfError, ElfFile, machine_of
from inspector.wire import native_file

WHOLE = Path(native_file()).read_bytes()[:4096]


def test_exported_functions_are_found_and_others_are_not():
    with ElfFile(native_file()) as file:
        found = file.symbols(["PyInit__native", "no_such_function"])
        assert list(found) == ["PyInit__native"]
        assert file.section(".text") is not None
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


def test_programs_for_other_machines_are_named(tmp_path: Path):
    for number, name in ((183, "arm64"), (3, "i386"), (777, "machine 777")):
        other = bytearray(WHOLE[:64])
        struct.pack_into("<H", other, 18, number)
        path = tmp_path / name
        path.write_bytes(other)
        assert machine_of(path) == name
        with pytest.raises(ElfError, match="not a 64-bit x86 program"):
            ElfFile(path)
