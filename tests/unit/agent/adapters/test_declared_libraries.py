"""Functions of cffi libraries that create, clone and free, declared.

Counts follow the program's calls.
"""

from __future__ import annotations

import gc
import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cffi
import pytest

from inspector.vocabulary import Reference
from inspector.wire import lib
from tests.unit.agent.adapters.following import Follower

SOURCE = (
    "void *malloc(size_t size); int posix_memalign(void **place, size_t align, size_t "
    "size); void free(void *it);"
)
HOLDER = "arc_test_cffi"
MEMORY = {
    "library": f"{HOLDER}.lib",
    "name": "Memory",
    "creates": ["malloc", "posix_memalign@0"],
    "frees": ["free"],
}


@pytest.fixture
def holder() -> Iterator[types.ModuleType]:
    """The module that the program keeps its library in."""
    module = types.ModuleType(HOLDER)
    sys.modules[HOLDER] = module
    yield module
    del sys.modules[HOLDER]


def opened_in_line() -> tuple[Any, Any]:
    ffi = cffi.FFI()
    ffi.cdef(SOURCE)
    return ffi, ffi.dlopen(None)


def opened_out_of_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    ffi = cffi.FFI()
    ffi.cdef(SOURCE)
    ffi.set_source("_arc_test_out_of_line", None)
    ffi.emit_python_code(str(folder / "_arc_test_out_of_line.py"))
    monkeypatch.syspath_prepend(folder)
    module = importlib.import_module("_arc_test_out_of_line")
    return module.ffi, module.ffi.dlopen(None)


@pytest.mark.parametrize("way", ["in line", "out of line"])
def test_memory_of_a_library_opened_by_cffi_is_counted(
    follower: Follower,
    holder: types.ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    ffi, library = (
        opened_in_line() if way == "in line" else opened_out_of_line(tmp_path, monkeypatch)
    )
    holder.lib = library  # type: ignore[attr-defined]
    functions = [library.malloc, library.posix_memalign, library.free]
    adapter = follower.follow(MEMORY)
    adapter.poll()

    memory, place = library.malloc(10), ffi.new("void **")
    assert library.posix_memalign(place, 64, 64) == 0
    addresses = [int(ffi.cast("uintptr_t", each)) for each in (memory, place[0])]
    assert [row.address for row in follower.live("Memory")] == addresses
    library.free(memory)
    assert [row.address for row in follower.live("Memory")] == addresses[1:]
    library.free(place[0])
    assert follower.live("Memory") == []
    assert follower.recorder.ended("Memory") == [Reference.DROPPED] * 2

    adapter.detach()
    assert [library.malloc, library.posix_memalign, library.free] == functions


def test_a_pointer_that_cffi_frees_by_the_library_is_counted_down(
    follower: Follower, holder: types.ModuleType
) -> None:
    ffi, library = opened_in_line()
    holder.lib = library  # type: ignore[attr-defined]
    follower.follow(MEMORY)
    pointer = ffi.gc(library.malloc(10), library.free)
    assert len(follower.live("Memory")) == 1
    del pointer
    gc.collect()
    assert follower.live("Memory") == []


def test_functions_of_a_compiled_cffi_module_are_counted(
    follower: Follower, holder: types.ModuleType
) -> None:
    holder.lib = lib  # type: ignore[attr-defined]
    before = [lib.ai_todo_list_make, lib.ai_handle_drop]
    adapter = follower.follow(
        {
            "library": f"{HOLDER}.lib",
            "name": "List",
            "creates": ["ai_todo_list_make"],
            "frees": ["ai_handle_drop"],
        }
    )
    adapter.poll()
    handle = lib.ai_todo_list_make()
    assert [row.data for row in follower.live("List")] == [handle]
    lib.ai_handle_drop(handle)
    assert follower.live("List") == []
    adapter.detach()
    assert [lib.ai_todo_list_make, lib.ai_handle_drop] == before


def test_births_stay_quick_while_many_references_are_out(
    follower: Follower, holder: types.ModuleType
) -> None:
    numbers = iter(range(1, 1_000_000))
    holder.lib = types.SimpleNamespace(new=lambda: next(numbers), unref=lambda number: None)  # type: ignore[attr-defined]
    follower.follow(
        {"library": f"{HOLDER}.lib", "name": "Thing", "creates": ["new"], "frees": ["unref"]}
    )
    kept = [holder.lib.new() for _ in range(3_000)]
    assert len(follower.live("Thing")) == 3_000
    for number in reversed(kept):
        holder.lib.unref(number)
    assert follower.live("Thing") == []
