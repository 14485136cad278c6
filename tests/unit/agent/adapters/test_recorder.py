from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pytest

from inspector import agent
from inspector.agent.adapters.recorder import Recorder, load_word
from inspector.runtime.sites import SiteTable
from inspector.vocabulary import Kind, Reference
from tests.helpers.tables import read_table


@pytest.fixture
def segment(segment_folder: str) -> Iterator[str]:
    yield agent.start("history", adapters=(), directory=segment_folder)
    agent.stop()


@pytest.fixture
def type_index(segment: str) -> Iterator[int]:
    recorder = Recorder()
    index = recorder.type_index(name="Thing", origin="made", kind=Kind.UNIFFI)
    yield index
    recorder.clear(index)
    assert not read_table(segment).live("Thing")


def test_the_same_words_name_the_same_type(type_index: int) -> None:
    recorder = Recorder()

    assert recorder.type_index(name="Thing", origin="made", kind=Kind.UNIFFI) == type_index
    assert recorder.type_index(name="Thing", origin="made", kind=Kind.UNIFFI_TRAIT) != type_index


def test_a_birth_has_its_address_its_thread_and_its_site(segment: str, type_index: int) -> None:
    site = SiteTable(()).here(1)
    row = Recorder().add(type_index, 0x1000, 0x1010, site)

    (found,) = read_table(segment).live("Thing")
    assert (found.number, found.address, found.data) == (row, 0x1000, 0x1010)
    assert found.created_at_ticks
    assert found.created_by
    assert found.created[0].startswith("test_recorder.py:")
    Recorder().end(row, Reference.RELEASED)


def test_an_adopted_row_has_no_birth(segment: str, type_index: int) -> None:
    rows = Recorder().adopt(type_index, [0x1000, 0], [0x1010, 7])

    found = read_table(segment).live("Thing")
    assert {
        row.number: (row.address, row.data, row.created_at_ticks, row.created_by) for row in found
    } == {
        rows[0]: (0x1000, 0x1010, 0, ""),
        rows[1]: (0, 7, 0, ""),
    }
    Recorder().set_address(rows[1], 0x2000)
    assert read_table(segment).row(rows[1]).address == 0x2000


@pytest.mark.parametrize(
    ("strong", "state"), [(1, Reference.DROPPED), (2, Reference.RELEASED), (0, Reference.RELEASED)]
)
def test_the_count_tells_what_a_release_makes_of_a_row(
    segment: str, type_index: int, strong: int, state: Reference
) -> None:
    count = ctypes.c_uint64(strong)
    row = Recorder().add(type_index, 0x1000, 0x1010, 0)
    Recorder().end_counted(row, ctypes.addressof(count))

    assert read_table(segment).row(row).reference == state
    assert load_word(ctypes.addressof(count)) == strong


def test_rows_that_are_none_are_ended_without_complaint(segment: str, type_index: int) -> None:
    recorder = Recorder()
    row = recorder.add(type_index, 0x1000, 0x1010, 0)
    recorder.end(row, Reference.RELEASED)

    recorder.end_counted(row, 0)
    recorder.end_counted(0, 0)
    recorder.end(0, Reference.RELEASED)
    recorder.set_address(row, 5)
    assert recorder.add(60_000, 1, 1, 0) == 0
    assert read_table(segment).row(row).address == 0x1000
