"""The CPython in another process, as a look from outside needs it.

That is its version, its layout, and the addresses of its built-in types.

Older and otherwise unsupported interpreters too: nothing runs in them. Any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.attach.elf import ElfFile
from inspector.attach.interpreter import Image, TargetMemory, candidates, is_free_threaded
from inspector.attach.outside.layout import LAYOUTS, NEWEST, OLDEST, Layout
from inspector.attach.outside.memory import OutsideError
from inspector.attach.processes import version_in
from inspector.attach.procfs import MappedRange, mappings

_TYPES: Final = (
    "PyType_Type",
    "PyLong_Type",
    "PyCoro_Type",
    "PyFunction_Type",
    "PyCell_Type",
    "PyTuple_Type",
    "PyList_Type",
    "PyCode_Type",
)
_OTHERS: Final = ("Py_Version", "_PyRuntime", "Py_IsInitialized")


@dataclass(frozen=True, slots=True)
class SeenPython:
    """An interpreter."""

    runtime: str
    """``CPython 3.11.7``; without the last number where only a file's name tells."""
    version: tuple[int, int]
    layout: Layout
    type_of_types: int
    type_of_numbers: int
    type_of_coroutines: int
    type_of_functions: int
    type_of_cells: int
    type_of_tuples: int
    type_of_lists: int
    type_of_code: int


def find_python(pid: int) -> SeenPython:
    """The interpreter in a process.

    Raises ``AttachError``: there is none, or its objects are not kept in a way that is known.
    """
    mapped = mappings(pid)
    if mapped is None:
        raise OutsideError(f"the memory's map of process {pid} may not be read")
    for image in candidates(pid, mapped):
        with ElfFile(image.path) as file:
            found = {
                name: value + image.bias
                for name, value in file.symbols((*_TYPES, *_OTHERS)).items()
            }
        if "PyType_Type" in found and "Py_IsInitialized" in found:
            return _described(pid, image, found)
    raise OutsideError(_no_python(pid, mapped))


def _described(pid: int, image: Image, found: dict[str, int]) -> SeenPython:
    with TargetMemory(pid) as memory:
        if is_free_threaded(memory, found.get("_PyRuntime", 0), image.name):
            raise OutsideError(
                "a free-threaded CPython keeps its objects in another way, which "
                "is not read from outside"
            )
        packed = (
            int.from_bytes(memory.read(found["Py_Version"], 4), "little")
            if "Py_Version" in found
            else 0
        )
    version = (
        (packed >> 24, packed >> 16 & 0xFF, packed >> 8 & 0xFF)
        if packed
        else version_in(Path(image.name).name)
    )
    if version is None or version[:2] not in LAYOUTS:
        known = f"{_dotted(OLDEST)} to {_dotted(NEWEST)}"
        raise OutsideError(
            (f"CPython {_dotted(version or ())} is not read from outside, {known} are").replace(
                "  ", " "
            )
        )
    layout = LAYOUTS[version[0], version[1]]
    types = [found.get(name, 0) for name in _TYPES]
    return SeenPython(f"CPython {_dotted(version)}", (version[0], version[1]), layout, *types)


def _no_python(pid: int, mapped: Sequence[MappedRange]) -> str:
    return (
        f"process {pid} runs no CPython that can be found" if mapped else f"process {pid} has ended"
    )


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
