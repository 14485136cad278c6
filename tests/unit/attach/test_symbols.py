"""Native functions by address."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from inspector.attach.elf import ElfError
from inspector.attach.symbols import NativeSymbols, Table, demangled


def test_a_function_of_the_c_library_is_found_by_its_address() -> None:
    libc = ctypes.CDLL(None)
    address = ctypes.cast(libc.getppid, ctypes.c_void_p).value
    assert address is not None
    name, path = NativeSymbols(os.getpid())(address + 1)  # a return address lies behind its call
    assert "getppid" in name
    assert "libc" in path


def test_rust_names_are_told_as_rust_code_has_them() -> None:
    assert demangled("_ZN4core3fmt5write17h0123456789abcdefE") == "core::fmt::write"
    assert demangled("getpid") == "getpid"


def test_an_address_that_is_none_has_no_name() -> None:
    symbols = NativeSymbols(os.getpid())
    assert symbols(8) == ("", "")
    assert symbols(0) == ("", "")


def test_a_process_that_is_gone_has_no_names() -> None:
    assert NativeSymbols(2**22 + 1)(0x1000) == ("", "")


@pytest.mark.parametrize(
    "content", [b"", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + b"\xff" * 200, b"#!/bin/sh\n"]
)
def test_a_file_that_makes_no_sense_is_no_crash(tmp_path: Path, content: bytes) -> None:
    damaged = tmp_path / "damaged.so"
    damaged.write_bytes(content)
    with pytest.raises(ElfError):
        Table(damaged)
