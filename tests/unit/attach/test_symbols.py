"""Native code by address."""

from __future__ import annotations

import ctypes
import os

from inspector.attach.symbols import NativeCode, NativeSymbols


def test_a_function_of_the_c_library_is_found_by_its_address() -> None:
    address = ctypes.cast(ctypes.CDLL(None).getppid, ctypes.c_void_p).value
    assert address is not None
    code = NativeSymbols(os.getpid())(address + 1)  # a return address lies behind its call
    assert "getppid" in code.places[-1].function
    assert "libc" in code.library


def test_an_address_that_is_none_has_no_name() -> None:
    symbols = NativeSymbols(os.getpid())
    assert symbols(8) == NativeCode()
    assert symbols(0) == NativeCode()


def test_a_process_that_is_gone_has_no_names() -> None:
    assert NativeSymbols(2**22 + 1)(0x1000) == NativeCode()
