from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inspector.agent.adapters.uniffi.layout import CANDIDATES, data_offset
from inspector.agent.adapters.uniffi.memory import word


class Allocation:
    """An ``Arc`` as Rust lays it out; ``noise`` is the work of another thread meanwhile."""

    def __init__(self, offset: int, *, strong: int = 3) -> None:
        self._memory = ctypes.create_string_buffer(1 << 14)
        start = (ctypes.addressof(self._memory) + (1 << 13)) // 4096 * 4096
        self.counts = (ctypes.c_uint64 * 2).from_address(start)
        self.counts[:] = [strong, 1]
        self.handle = start + offset
        self.noise: Iterator[int] = iter(())

    def clone(self) -> int:
        self.counts[0] += 1 + next(self.noise, 0)
        return self.handle

    def release(self, handle: int) -> None:
        assert handle == self.handle
        self.counts[0] -= 1


@pytest.mark.parametrize("offset", CANDIDATES)
def test_the_data_offset_is_found_for_every_alignment(offset: int) -> None:
    allocation = Allocation(offset)

    assert data_offset(allocation.handle, allocation.clone, allocation.release) == offset
    assert allocation.counts[0] == 3


def test_a_try_spoiled_by_another_thread_is_repeated() -> None:
    allocation = Allocation(64)
    allocation.noise = iter([1, 0, 2, 0])

    assert data_offset(allocation.handle, allocation.clone, allocation.release) == 64


def test_an_object_that_never_rests_has_no_known_layout() -> None:
    allocation = Allocation(16)
    allocation.noise = iter([1] * 100)

    assert data_offset(allocation.handle, allocation.clone, allocation.release) is None


def test_a_clone_that_counts_elsewhere_is_not_mistaken() -> None:
    allocation = Allocation(16)

    assert data_offset(allocation.handle, lambda: allocation.handle, lambda handle: None) is None


def test_memory_that_is_not_mapped_reads_as_unknown() -> None:
    with unmapped_page() as address:
        assert word(address) is None
        assert word(0) is None
        assert word(3) is None
        assert word(1 << 63) is None


def test_a_word_is_read_as_the_machine_has_it() -> None:
    pair = (ctypes.c_uint64 * 2)(0x1234_5678, 0x9999)

    assert [word(ctypes.addressof(pair)), word(ctypes.addressof(pair) + 8)] == [0x1234_5678, 0x9999]


@contextmanager
def unmapped_page() -> Iterator[int]:
    """The address of a page that was just given back."""
    page = mmap.mmap(-1, 4096)
    view = ctypes.c_char.from_buffer(page)
    address = ctypes.addressof(view)
    del view
    page.close()
    yield address
