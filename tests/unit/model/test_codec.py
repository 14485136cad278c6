from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.errors import FileFormatError
from inspector.model import codec
from inspector.model.codec import decode, encode
from inspector.model.snapshot import UNKNOWN, Lost, Outer, Snapshot
from inspector.vocabulary import Resource
from tests.helpers.equality import same
from tests.helpers.snapshots import Row, big_snapshot, snapshot_of
from tests.unit.model.stored_snapshots import snapshots

HEAD = struct.Struct("<8sIIQ")


def repacked(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """``data`` with its JSON header changed and everything else as it was."""
    _, version, header_bytes, column_bytes = HEAD.unpack_from(data)
    body = zlib.decompress(data[HEAD.size :])
    header = json.loads(body[:header_bytes])
    change(header)
    text = json.dumps(header).encode()
    return HEAD.pack(codec.MAGIC, version, len(text), column_bytes) + zlib.compress(
        text + body[header_bytes:]
    )


def with_column(snapshot: Snapshot, name: str, value: object) -> Snapshot:
    column = getattr(snapshot.handles, name).copy()
    column[0] = value
    return dataclasses.replace(
        snapshot, handles=dataclasses.replace(snapshot.handles, **{name: column})
    )


@settings(max_examples=60)
@given(snapshots)
def test_what_is_written_is_read_back_unchanged_with_everything_unknown_in_it(
    snapshot: Snapshot,
) -> None:
    assert same(decode(encode(snapshot)), snapshot)


def test_numbers_that_came_out_of_arrays_are_written_as_numbers() -> None:
    snapshot = snapshot_of([Row(1)])
    counted = dataclasses.replace(
        snapshot,
        serial=np.int64(3),
        sampled_at=np.float64("nan"),
        lost=Lost({"rows": np.uint64(7)}),
    )
    found = decode(encode(counted))
    assert (found.serial, found.lost.counts["rows"]) == (3, 7)
    assert np.isnan(found.sampled_at)


def test_names_come_back_without_what_a_terminal_or_a_window_obeys() -> None:
    snapshot = snapshot_of([Row(1)])
    odd = dataclasses.replace(
        snapshot.threads[1], name=f"w\udcff\0\u202e\n\U0001f600{'x' * 10_000}"
    )
    name = decode(encode(dataclasses.replace(snapshot, threads={1: odd}))).threads[1].name
    assert name.startswith("w\ufffd\ufffd\ufffd\ufffd\U0001f600xxx")
    assert len(name) == 4096


def test_a_hundred_thousand_rows_come_back_and_fit_a_screenshot() -> None:
    snapshot = big_snapshot(100_000, tombstones=500, pending=40)
    data = encode(snapshot)
    assert same(decode(data), snapshot)
    assert len(data) < 8 << 20


def test_arrays_that_come_back_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        decode(encode(snapshot_of([Row(1)]))).handles.strong[0] = 5


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_line(data: bytes) -> None:
    for candidate in (
        data,
        codec.MAGIC + data,
        HEAD.pack(codec.MAGIC, codec.VERSION, 2, 0) + zlib.compress(data),
    ):
        with pytest.raises(FileFormatError) as refusal:
            decode(candidate)
        assert "\n" not in str(refusal.value)


@settings(max_examples=300)
@given(st.data())
def test_a_file_with_a_flipped_bit_is_refused(data: st.DataObject) -> None:
    encoded = bytearray(encode(snapshot_of([Row(1), Row(2, type="Journal")])))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = decode(bytes(encoded))
    except FileFormatError:
        return
    assert same(found, snapshot_of([Row(1), Row(2, type="Journal")])), (
        "a changed byte changed the data and was not noticed"
    )


@settings(max_examples=100)
@given(st.data())
def test_a_file_cut_anywhere_is_refused(data: st.DataObject) -> None:
    encoded = encode(snapshot_of([Row(1)]))
    with pytest.raises(FileFormatError):
        decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


def test_a_newer_version_is_refused_and_both_numbers_are_named() -> None:
    data = HEAD.pack(codec.MAGIC, 7, 2, 0) + zlib.compress(b"{}")
    with pytest.raises(
        FileFormatError, match="format version 7, this program reads versions 1 to 2"
    ):
        decode(data)


def test_a_header_that_promises_too_much_is_refused_before_anything_is_unpacked() -> None:
    with pytest.raises(FileFormatError, match="unpacks to more than 512 MiB"):
        decode(HEAD.pack(codec.MAGIC, codec.VERSION, 2, 1 << 40) + zlib.compress(b"{}"))


def test_a_stream_that_unpacks_to_more_than_it_says_stops_at_what_it_said() -> None:
    bomb = zlib.compress(bytes(50 << 20))
    with pytest.raises(FileFormatError, match="longer than it says"):
        decode(HEAD.pack(codec.MAGIC, codec.VERSION, 2, 0) + bomb)


def test_a_file_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(FileFormatError, match="larger than 64 MiB"):
        decode(bytes(codec.MAX_ENCODED_BYTES + 1))


def test_a_snapshot_that_packs_to_more_than_a_file_may_hold_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "MAX_ENCODED_BYTES", 100)
    with pytest.raises(FileFormatError, match="too large for one file"):
        encode(snapshot_of([Row(1)]))


def test_a_snapshot_with_more_rows_than_a_file_may_hold_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(codec, "MAX_DECODED_BYTES", 100)
    with pytest.raises(FileFormatError, match="too many rows for one file: 1"):
        encode(snapshot_of([Row(1)]))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("references", 5),
        ("resources", max(Resource) + 1),
        ("types", -1),
        ("owner_threads", 1 << 31),
        ("created_sites", -7),
        ("created_at", float("inf")),
        ("changed_at", 1e300),
    ],
)
def test_a_column_with_an_impossible_value_is_refused_by_its_name(
    column: str, value: float
) -> None:
    with pytest.raises(FileFormatError, match=f"{column} is out of range"):
        decode(encode(with_column(snapshot_of([Row(1)]), column, value)))


def test_columns_of_different_lengths_are_refused() -> None:
    table = snapshot_of([Row(1)])
    short = dataclasses.replace(table.handles, strong=np.empty(0, np.int64))
    with pytest.raises(FileFormatError, match="the length of strong"):
        decode(encode(dataclasses.replace(table, handles=short)))


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.pop("columns"),
        lambda header: header["columns"].pop(),
        lambda header: header["columns"].reverse(),
        lambda header: header["columns"][0].__setitem__(2, 10**9),
        lambda header: header["columns"][0].__setitem__(2, True),
        lambda header: header["columns"][0].__setitem__(2, 0),
        lambda header: header["columns"][0].__setitem__(1, "|O"),
        lambda header: header.update(snapshot=[]),
        lambda header: header["snapshot"].pop("target"),
        lambda header: header["snapshot"]["target"].update(state="on fire"),
        lambda header: header["snapshot"]["target"].update(pid="4711"),
        lambda header: header["snapshot"]["target"].update(pid=True),
        lambda header: header["snapshot"]["target"].update(pid=1 << 70),
        lambda header: header["snapshot"].update(taken_at=1e30),
        lambda header: header["snapshot"].update(taken_at="now"),
        lambda header: header["snapshot"].update(lost={"counts": []}),
        lambda header: header["snapshot"].update(cost=3),
        lambda header: header.update(types={}),
        lambda header: header["types"].append(header["types"][0]),
        lambda header: header["types"][0].update(index=-1),
        lambda header: header["types"][0].update(closes=1),
        lambda header: header["types"][0].update(created=1 << 63),
        lambda header: header["threads"][0].update(released=(1 << 53) + 1),
        lambda header: header["threads"][0].update(deeper_calls=(1 << 63) - 1),
        lambda header: header["types"][0].update(name=None),
        lambda header: header["sites"][0].update(frames={}),
        lambda header: header["sites"][0]["frames"].append([]),
    ],
)
def test_a_header_of_another_shape_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    data = repacked(encode(snapshot_of([Row(1)])), change)
    with pytest.raises(FileFormatError):
        decode(data)


TRAIT_COLUMNS = ("handles.inner_strong", "handles.outer_strong")


def without_columns(data: bytes, *names: str) -> bytes:
    """``data`` as a version wrote it that did not know these columns."""
    _, version, header_bytes, _ = HEAD.unpack_from(data)
    body = zlib.decompress(data[HEAD.size :])
    header, rest, kept = json.loads(body[:header_bytes]), body[header_bytes:], b""
    for name, dtype, count in header["columns"]:
        size_bytes = count * np.dtype(dtype).itemsize
        kept += b"" if name in names else rest[:size_bytes]
        rest = rest[size_bytes:]
    header["columns"] = [each for each in header["columns"] if each[0] not in names]
    for row in header["types"]:
        row.pop("outer")
    text = json.dumps(header).encode()
    return HEAD.pack(codec.MAGIC, version, len(text), len(kept)) + zlib.compress(text + kept)


def test_a_file_of_before_a_traits_counts_were_told_apart_is_read_and_they_are_unknown() -> None:
    snapshot = snapshot_of([Row(1, strong=4), Row(2)])
    read = decode(without_columns(encode(snapshot), *TRAIT_COLUMNS))
    assert read.handles.strong.tolist() == [4, 1]
    assert (
        read.handles.inner_strong.tolist()
        == read.handles.outer_strong.tolist()
        == [UNKNOWN, UNKNOWN]
    )
    assert {row.outer for row in read.types.values()} == {Outer.NONE}
    assert same(read, snapshot)


def test_a_file_that_lacks_one_of_two_columns_that_came_together_is_refused() -> None:
    data = without_columns(encode(snapshot_of([Row(1)])), TRAIT_COLUMNS[0])
    with pytest.raises(FileFormatError, match="list of columns is another"):
        decode(data)


def test_a_file_of_before_the_living_were_counted_by_type_is_read() -> None:
    snapshot = snapshot_of([Row(1)])
    older = dataclasses.replace(
        snapshot, vitals=dataclasses.replace(snapshot.vitals, lives=np.zeros(0, np.int64))
    )
    data = without_columns(encode(older), "vitals.lives", *TRAIT_COLUMNS)
    read = decode(data)
    assert not len(read.vitals.lives)
    assert (
        read.vitals.live_by_type().tolist()
        == (snapshot.vitals.created - snapshot.vitals.released).tolist()
    )


def test_a_field_that_a_newer_writer_added_is_ignored() -> None:
    snapshot = snapshot_of([Row(1)])
    data = repacked(encode(snapshot), lambda header: header["snapshot"].update(mood="good"))
    assert same(decode(data), snapshot)


def test_a_field_with_a_default_may_be_missing() -> None:
    data = repacked(encode(snapshot_of([Row(1)])), lambda header: header["snapshot"].pop("cost"))
    with pytest.raises(FileFormatError, match=r"Snapshot\.cost is missing"):
        decode(data)
    data = repacked(
        encode(snapshot_of([Row(1)])), lambda header: header["snapshot"].pop("last_close_secs")
    )
    assert np.isnan(decode(data).last_close_secs)


@pytest.mark.parametrize(
    "header", [b"[" * 100_000, b"[]", b'{"a": NaN}', b"\xff\xfe", b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_a_header_that_is_hostile_json_is_refused(header: bytes) -> None:
    with pytest.raises(FileFormatError):
        decode(HEAD.pack(codec.MAGIC, codec.VERSION, len(header), 0) + zlib.compress(header))


def test_a_bool_column_that_holds_other_bytes_is_refused() -> None:
    snapshot = snapshot_of([Row(1)])
    data = encode(snapshot)
    _, version, header_bytes, column_bytes = HEAD.unpack_from(data)
    body = bytearray(zlib.decompress(data[HEAD.size :]))
    vitals_bytes = 3 * 8 * len(snapshot.vitals.created)
    body[-vitals_bytes - 1] = 2
    with pytest.raises(FileFormatError, match="changing is out of range"):
        decode(
            HEAD.pack(codec.MAGIC, version, header_bytes, column_bytes) + zlib.compress(bytes(body))
        )


def test_a_file_of_the_first_version_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = big_snapshot(300, tombstones=9, pending=4)
    with monkeypatch.context() as patch:
        patch.setattr(codec, "VERSION", 1)
        patch.setattr(codec, "RELATIVE_TO", {})
        old = encode(snapshot)
    assert HEAD.unpack_from(old)[1] == 1
    assert same(decode(old), snapshot)


def test_neighbouring_rows_take_few_bytes() -> None:
    rows = [
        Row(slot, age_secs=100 - slot * 1e-3, changed_secs=100 - slot * 1e-3)
        for slot in range(1, 20_001)
    ]
    assert len(encode(snapshot_of(rows))) < 6 * len(rows)
