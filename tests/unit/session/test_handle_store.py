"""The native store against the same computations in numpy, over segments that change."""

from __future__ import annotations

import dataclasses
import gc
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspector.attach.segment import Segment
from inspector.model.build import Moment, build_snapshot, table_snapshot
from inspector.model.columns import TABLE_COLUMNS
from inspector.model.snapshot import Handles, Snapshot, Target, TargetState
from inspector.model.stored_table import StoredHandles, picked, row_alone
from inspector.session.source import SegmentSource
from inspector.vocabulary import Kind
from inspector.wire.schema import (
    BUSY,
    COUNT_UNKNOWN,
    OUTER_UNKNOWN,
    RUNNING_ARGUMENT,
    RUNNING_BORROWS,
    STRONG_UNKNOWN,
    ThreadState,
)
from tests.helpers.equality import same
from tests.helpers.segments import ANCHOR_SECS, SegmentImage, at, write_segment

ROWS, THREADS = 14, 3
WITH_IMAGES = settings(
    max_examples=settings().max_examples * 2 // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""Each example is several segments of all columns; `./dev soak` tries more of them."""
EVERY_TYPE = [
    {"kind": kind, "data_offset": 16 * (kind is Kind.UNIFFI_TRAIT)} for kind in Kind if kind
] + [{"kind": Kind.UNIFFI_TRAIT, "data_offset": 0}, {"kind": Kind.UNKNOWN}, {"kind": Kind.ARC}]
TYPES = len(EVERY_TYPE)
FREE = {"reference_state": 0, "generation": 0}
WHO = Target(
    pid=1,
    name="app.py",
    command="",
    runtime="",
    executable="",
    start_time=0,
    started_at=0.0,
    state=TargetState.LIVE,
)
NOW = ANCHOR_SECS + 60.0

strongs = st.sampled_from([STRONG_UNKNOWN, STRONG_UNKNOWN, 0, 1, 2, 5, 0xFFFF_FFFF])
shorts = st.sampled_from([COUNT_UNKNOWN, 0, 1, 3])
ticks = st.sampled_from([0, at(1), at(2), at(50), 1, 2**63])
indices = st.integers(0, 4)
ROW = st.one_of(
    st.just(FREE),
    st.fixed_dictionaries(
        {
            "reference_state": st.sampled_from([1, 1, 1, 1, 2, 3, 4, 9, BUSY, BUSY | 1]),
            "resource_state": st.sampled_from([0, 1, 2, 5, 6, 11, 12]),
            "type_id": st.integers(0, TYPES + 1),
            "generation": st.integers(1, 3),
            "address": st.sampled_from([0, 64, 64, 128, 192]),
            "strong": strongs,
            "weak": shorts,
            "in_flight": shorts,
            "outer_strong": st.sampled_from([OUTER_UNKNOWN, 0, 1, 2, 5]),
            "created_at_ticks": ticks,
            "changed_at_ticks": ticks,
            "created_thread": indices,
            "last_thread": indices,
            "owner_thread": indices,
            "requester_thread": indices,
            "created_site": indices,
            "last_site": indices,
            "data": st.one_of(
                st.sampled_from([0, 7, 8, 2**50]),
                st.builds(
                    lambda tid, *bits: tid | sum(bits),
                    st.integers(1, 5),
                    st.sampled_from([0, RUNNING_BORROWS]),
                    st.sampled_from([0, RUNNING_ARGUMENT]),
                ),
            ),
        }
    ),
)
THREAD = st.fixed_dictionaries(
    {
        "tid": st.integers(1, 4),
        "state": st.sampled_from([ThreadState.FREE, ThreadState.LIVE, ThreadState.ENDED]),
        "depth": st.integers(0, 3),
        "calls": st.lists(
            st.builds(
                lambda slot, generation, foreign: generation << 32 | slot << 1 | foreign,
                st.integers(1, ROWS),
                st.integers(1, 3),
                st.integers(0, 1),
            ),
            min_size=8,
            max_size=8,
        ),
    }
)
TYPE = st.fixed_dictionaries(
    {"kind": st.integers(0, len(Kind)), "data_offset": st.sampled_from([0, 16])}
)


@st.composite
def images(draw: st.DrawFn) -> list[SegmentImage]:
    """States of one segment, one after the other: of each, some rows differ from the last."""
    rows: list[Any] = draw(st.lists(ROW, min_size=ROWS, max_size=ROWS))
    types: Sequence[Any] = EVERY_TYPE
    found = []
    for _ in range(draw(st.integers(1, 4))):
        changes = draw(st.dictionaries(st.integers(0, ROWS - 1), ROW, max_size=5))
        rows = [changes.get(slot, row) for slot, row in enumerate(rows)]
        if draw(st.integers(0, 5)) == 0:
            types = draw(st.lists(TYPE, min_size=TYPES, max_size=TYPES))
        threads = draw(st.lists(THREAD, min_size=THREADS, max_size=THREADS))
        found.append(SegmentImage(types=types, threads=threads, handles=rows))
    return found


class Twins:
    """One segment read through the store, and row by row into numpy."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._segment: Segment | None = None
        self._serial = 0

    def show(self, image: SegmentImage) -> tuple[Snapshot, Snapshot]:
        """Both snapshots of the segment in this state."""
        if self._segment is None:
            self._segment = Segment(write_segment(self._path, image))
            self._stored, self._plain = SegmentSource(self._segment), SegmentSource(self._segment)
        else:
            descriptor = os.open(self._path, os.O_RDWR)
            os.pwrite(descriptor, image.to_bytes(), 0)
            os.close(descriptor)
        self._serial += 1
        moment = Moment(serial=self._serial, taken_at=NOW, target=WHO)
        stored, plain = self._stored, self._plain
        return (
            table_snapshot(stored.table(), stored.names, stored.codes, moment),
            build_snapshot(plain.state(), plain.names, plain.codes, moment),
        )

    def close(self) -> None:
        if self._segment is not None:
            self._segment.close()


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Twins]:
    made = Twins(tmp_path / "1-7.seg")
    yield made
    made.close()


def plain(handles: Handles) -> Handles:
    """The same columns in numpy."""
    columns = {each.name: getattr(handles, each.name) for each in dataclasses.fields(Handles)}
    return Handles(**columns)


def made_plain(snapshot: Snapshot) -> Snapshot:
    return dataclasses.replace(snapshot, handles=plain(snapshot.handles))


@WITH_IMAGES
@given(images())
def test_every_column_and_thread_is_as_numpy_has_it(tmp_path: Path, shown: Any) -> None:
    twins = Twins(tmp_path / "1-7.seg")
    kept = []
    try:
        for image in shown:
            stored, expected = twins.show(image)
            assert isinstance(stored.handles, StoredHandles)
            for column in dataclasses.fields(Handles):
                found, wanted = (getattr(each.handles, column.name) for each in (stored, expected))
                assert same(found, wanted), (column.name, found, wanted)
                assert not found.flags.writeable
            assert same(made_plain(stored), expected)
            kept.append((stored, expected))
        # a later reading changes no earlier snapshot
        assert all(same(made_plain(stored), expected) for stored, expected in kept)
    finally:
        twins.close()


def test_columns_of_some_rows_are_read_alone(twins: Twins) -> None:
    rows = [{"address": 64 * slot, "created_at_ticks": at(slot)} for slot in range(1, 6)]
    stored, expected = twins.show(SegmentImage(types=[{"kind": Kind.ARC}], handles=rows))
    assert isinstance(stored.handles, StoredHandles)
    chosen = np.array([4, 0, 0, 2])
    for column in dataclasses.fields(Handles):
        assert same(
            getattr(stored.handles.take(chosen), column.name),
            getattr(expected.handles, column.name)[chosen],
        )


def test_a_column_outlives_its_snapshot_and_its_session(twins: Twins) -> None:
    image = SegmentImage(types=[{"kind": Kind.ARC}], handles=[{"address": 64}] * 3)
    stored, _ = twins.show(image)
    column = stored.handles.ids
    expected = column.tolist()
    del stored
    twins.close()
    gc.collect()
    assert column.tolist() == expected


def test_tables_with_one_version_are_equal(twins: Twins) -> None:
    def version(*addresses: int) -> tuple[int, int]:
        rows = [{"address": address} for address in addresses]
        stored, _ = twins.show(SegmentImage(types=[{"kind": Kind.ARC}], handles=rows))
        assert isinstance(stored.handles, StoredHandles)
        return stored.handles.table.version

    first = version(64, 128)
    assert version(64, 128) == first
    assert version(64, 64) != first


def test_replacing_a_column_makes_plain_handles(twins: Twins) -> None:
    image = SegmentImage(types=[{"kind": Kind.ARC}], handles=[{"address": 64}])
    stored, expected = twins.show(image)
    other = np.array([9])
    found = dataclasses.replace(stored.handles, strong=other)
    assert not isinstance(found, StoredHandles)
    assert same(found, dataclasses.replace(expected.handles, strong=other))


def test_only_the_newest_table_keeps_widened_columns(twins: Twins) -> None:
    image = SegmentImage(types=[{"kind": Kind.ARC}], handles=[{"address": 64, "strong": 2}] * 3)
    first, _ = twins.show(image)
    assert isinstance(first.handles, StoredHandles)
    column = first.handles.strong
    assert first.handles.strong is column
    second, _ = twins.show(image)
    assert first.handles.table.wide_columns == frozenset()
    assert same(first.handles.strong, column)
    assert isinstance(second.handles, StoredHandles)
    assert second.handles.table.wide_columns == frozenset()


def test_a_row_alone_has_the_same_texts(twins: Twins) -> None:
    rows = [{"address": 64 * slot, "strong": slot, "created_at_ticks": at(slot)} for slot in (1, 2)]
    stored, plain_snapshot = twins.show(SegmentImage(types=[{"name": b"A"}], handles=rows))
    alone, row = row_alone(stored, 1)
    texts = [column.text(alone, row) for column in TABLE_COLUMNS if column.text]
    assert texts == [column.text(plain_snapshot, 1) for column in TABLE_COLUMNS if column.text]
    assert isinstance(stored.handles, StoredHandles)
    assert stored.handles.table.wide_columns == frozenset()
    assert picked(stored.handles, "strong", np.array([1])).tolist() == [
        int(plain_snapshot.handles.strong[1])
    ]
