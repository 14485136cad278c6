"""Python's view of the schema is the compiled schema, whole and in order."""

from __future__ import annotations

import json
from enum import IntEnum

import pytest

from inspector import vocabulary
from inspector.vocabulary import handle_text
from inspector.wire import ffi, lib, schema, status

OF_READERS = (vocabulary.Kind.UNKNOWN, vocabulary.EventKind.GAP)
"""Values that only readers use: no target writes them."""


@pytest.mark.parametrize(
    ("python", "native"),
    [
        (vocabulary.Level, "AiLevel"),
        (vocabulary.Kind, "AiKind"),
        (vocabulary.Reference, "AiReferenceState"),
        (vocabulary.Resource, "AiResourceState"),
        (vocabulary.EventKind, "AiEventKind"),
        (schema.ThreadState, "AiThreadState"),
        (schema.Ending, "AiEnding"),
        (schema.ClockSource, "AiClockSource"),
        (status.Status, "AiStatus"),
    ],
)
def test_every_value_of_a_native_enum_has_a_name_in_python(
    python: type[IntEnum], native: str
) -> None:
    compiled = {
        name.removeprefix(f"{native}_").lower(): value
        for name, value in ffi.typeof(f"enum {native}").relements.items()
    }
    named = {
        member.name.replace("_", "").lower(): member.value
        for member in python
        if all(member is not each for each in OF_READERS)
    }
    assert named == compiled


@pytest.mark.parametrize(
    "record",
    [
        "AiHeader",
        "AiThreadSlot",
        "AiTypeSlot",
        "AiSiteSlot",
        "AiFrameSlot",
        "AiHandleSlot",
        "AiRingHeader",
        "AiEvent",
        "AiGcRecord",
    ],
)
def test_the_fields_of_a_record_fill_it_without_overlapping(record: str) -> None:
    end = 0
    for field in schema.fields(record):
        assert field.offset >= end
        end = field.offset + field.size_bytes * (1 if field.count is None else field.count)
    assert end <= schema.record_bytes(record) <= end + 8


def test_the_operations_are_those_of_the_native_half_in_its_order() -> None:
    size = lib.ai_control_operations(ffi.NULL, 0)
    buffer = ffi.new("uint8_t[]", size)
    assert lib.ai_control_operations(buffer, size) == size
    native = [
        vocabulary.Operation(**row | {"place": vocabulary.Place(row["place"])})
        for row in json.loads(bytes(buffer))
    ]
    assert native == list(vocabulary.OPERATIONS)


def test_a_handle_takes_one_cache_line() -> None:
    assert schema.record_bytes("AiHandleSlot") == 64


def test_nested_records_and_arrays_are_described_by_name_and_length() -> None:
    fields = {field.name: field for field in schema.fields("AiHeader")}
    assert (fields["handles"].type, fields["handles"].is_record, fields["handles"].count) == (
        "AiSection",
        True,
        None,
    )
    assert (fields["gc_log"].type, fields["gc_log"].count) == ("AiGcRecord", schema.GC_LOG)
    assert (fields["program"].type, fields["program"].size_bytes, fields["program"].count) == (
        "uint8_t",
        1,
        256,
    )


def test_a_handle_number_reads_back_as_slot_and_generation() -> None:
    assert handle_text(schema.handle_number(1204, 3)) == "#1204.3"
    assert handle_text(schema.handle_number(88, 1, foreign=True)) == "#88.1"
    assert schema.handle_number(88, 1, foreign=True) & schema.FOREIGN_BIT


def test_the_limits_are_those_of_the_table_and_of_no_other_part_of_the_library() -> None:
    assert (schema.MAX_HANDLES, schema.MAX_THREADS, schema.MAX_TYPES, schema.MAX_SITES) == (
        1 << 21,
        4096,
        2048,
        1 << 16,
    )
