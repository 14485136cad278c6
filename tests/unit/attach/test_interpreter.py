"""Finding the interpreter in a process.

A wrong address would make a borrowed thread jump elsewhere.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest

from inspector.attach.interpreter import find_interpreter
from inspector.attach.procfs import mappings

FUNCTIONS = ("Py_IsInitialized", "PyGILState_Ensure", "PyRun_SimpleString", "PyGILState_Release")


def address_of(name: str) -> int | None:
    return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value


def found() -> dict[str, int]:
    interpreter = find_interpreter(os.getpid())
    assert interpreter is not None
    return {name: interpreter.functions[name] for name in FUNCTIONS}


def expected() -> dict[str, int | None]:
    return {name: address_of(name) for name in FUNCTIONS}


def test_functions_are_found_where_they_lie() -> None:
    assert found() == expected()


@pytest.mark.parametrize("access", [mmap.ACCESS_READ, mmap.ACCESS_COPY])
def test_a_program_that_maps_its_own_interpreter_s_file_as_data_misleads_nobody(
    access: int,
) -> None:
    interpreter = find_interpreter(os.getpid())
    assert interpreter is not None
    with (
        Path(interpreter.image.name).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=access) as copy,
    ):
        copied = [
            each
            for each in mappings(os.getpid()) or ()
            if each.path == interpreter.image.name and each.high - each.low >= len(copy)
        ]
        assert copied, "the file is not mapped a second time"
        assert found() == expected()
