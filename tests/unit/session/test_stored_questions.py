"""Questions to the native store against the same questions in numpy."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import InspectorError
from inspector.model.change_groups import GroupBy, tally
from inspector.model.changes import ChangeFacts
from inspector.model.columns import TABLE_COLUMNS
from inspector.model.filter import parse
from inspector.model.grouping import Query, arrange, hold
from inspector.model.marks import mark_now
from inspector.model.objects import object_count
from inspector.model.snapshot import Handles, Snapshot
from inspector.model.stacks import Frame, Site
from inspector.model.stillness import newest_change
from inspector.model.stored_table import StoredHandles, Ticket
from inspector.model.threads import handle_counts
from inspector.vocabulary import Kind, Reference, Resource
from tests.helpers.aggregates import Aggregates, aggregate
from tests.helpers.equality import same
from tests.helpers.segments import SegmentImage, at
from tests.unit.session.test_handle_store import WITH_IMAGES, Twins, images, made_plain

SORTED_BY = [column.key for column in TABLE_COLUMNS]
QUERY = st.builds(
    Query,
    filter=st.sampled_from(["", "strong>1", "-state:live", "thread:a", "type:h age>2s"]).map(parse),
    column=st.sampled_from(SORTED_BY),
    descending=st.booleans(),
    tombstones=st.booleans(),
    moment_secs=st.sampled_from([0.5, 30.0]),
)
SITES = {
    index: Site(index, (Frame(name, f"/srv/{name}.py", index),))
    for index, name in enumerate(("", "a", "B", "c"))
    if index
}


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[Twins]:
    made = Twins(tmp_path / "1-7.seg")
    yield made
    made.close()


def named(image: SegmentImage) -> SegmentImage:
    """The image with names of types and threads, some of them equal but for case."""
    types = [
        {"name": name.encode(), **dict(each)}
        for name, each in zip(chain("hHaxyzdeF", map(str, count())), image.types, strict=False)
    ]
    threads = [
        {"name": name.encode(), **dict(each)}
        for name, each in zip(("a", "B", ""), image.threads, strict=True)
    ]
    return dataclasses.replace(image, types=types, threads=threads)


def sited(snapshot: Snapshot) -> Snapshot:
    return dataclasses.replace(snapshot, sites=SITES)


def differing(found: object, wanted: object) -> list[str]:
    """Fields that differ; an arrangement's snapshot is not among them."""
    fields = [each.name for each in dataclasses.fields(found) if each.name != "snapshot"]  # type: ignore[arg-type]
    return [name for name in fields if not same(getattr(found, name), getattr(wanted, name))]


@WITH_IMAGES
@given(images(), QUERY)
def test_rows_are_sorted_and_held_as_numpy_does(tmp_path: Path, shown: Any, query: Query) -> None:
    twins = Twins(tmp_path / "1-7.seg")
    try:
        held = None
        for image in shown:
            stored, plain = (sited(each) for each in twins.show(named(image)))
            assert differing(arrange(stored, query), arrange(plain, query)) == []
            if held is not None:
                pair = hold(held[0], stored, query), hold(held[1], plain, query)
                assert differing(*pair) == []
                held = pair
            else:
                held = arrange(stored, query), arrange(plain, query)
    finally:
        twins.close()


@WITH_IMAGES
@given(images())
def test_lines_are_counted_and_compared_as_numpy_does(tmp_path: Path, shown: Any) -> None:
    twins = Twins(tmp_path / "1-7.seg")
    try:
        mark = None
        for image in shown:
            stored, plain = twins.show(image)
            assert differing(aggregate(stored), aggregate(plain)) == []
            if mark is not None:
                assert differing(aggregate(stored, mark), aggregate(plain, mark)) == []
            assert same(mark_now(stored, "mark").ids, mark_now(plain, "mark").ids)
            mark = mark_now(plain, "mark")
    finally:
        twins.close()


@WITH_IMAGES
@given(images(), st.sampled_from([GroupBy.TYPE, GroupBy.SITE, GroupBy.THREAD]), st.booleans())
def test_changes_are_counted_as_numpy_does(
    tmp_path: Path, shown: Any, group_by: GroupBy, is_filtered: bool
) -> None:
    twins = Twins(tmp_path / "1-7.seg")
    try:
        mark = None
        for image in shown:
            pair = [sited(each) for each in twins.show(named(image))]
            found = [
                tally(
                    each,
                    group_by,
                    kept=parse("strong>0").mask(each) if is_filtered else None,
                    mark=mark,
                    facts=ChangeFacts(pair[1]),
                )
                for each in pair
            ]
            assert differing(*found) == []
            mark = mark_now(pair[1], "mark")
    finally:
        twins.close()


@WITH_IMAGES
@given(images())
def test_looks_at_all_rows_find_what_numpy_finds(tmp_path: Path, shown: Any) -> None:
    twins = Twins(tmp_path / "1-7.seg")
    try:
        for image in shown:
            stored, plain = twins.show(image)
            for look in (object_count, newest_change, handle_counts):
                assert same(stored.fact(look), plain.fact(look)), look
    finally:
        twins.close()


def test_a_question_that_was_given_up_has_no_answer(twins: Twins) -> None:
    stored, _ = twins.show(SegmentImage(types=[{"kind": Kind.ARC}], handles=[{"address": 64}]))
    ticket = Ticket()
    assert len(arrange(stored, Query(), ticket)) == len(aggregate(stored, ticket=ticket)) == 1
    ticket.give_up()
    with pytest.raises(InspectorError, match="given up"):
        arrange(stored, Query(), ticket)
    with pytest.raises(InspectorError, match="given up"):
        aggregate(stored, ticket=ticket)


def test_ages_with_many_digits_are_sorted_exactly(twins: Twins) -> None:
    ticks = np.random.default_rng(3).integers(1, 2**40, 3_000)
    rows = [
        {"created_at_ticks": int(each), "reference_state": 1, "address": 64 * slot}
        for slot, each in enumerate(ticks)
    ]
    stored, plain = twins.show(SegmentImage(types=[{"kind": Kind.ARC}], handles=rows))
    for descending in (True, False):
        query = Query(descending=descending)
        assert differing(arrange(stored, query), arrange(plain, query)) == []


def test_aggregates_and_orders_read_no_wide_column(twins: Twins) -> None:
    image = SegmentImage(types=[{"kind": Kind.ARC}], handles=[{"address": 64}] * 4)
    stored, _ = twins.show(image)
    handles = stored.handles
    assert isinstance(handles, StoredHandles)
    arrange(stored, Query(column="strong"))
    aggregate(stored)
    assert handles.table.wide_columns == frozenset()
    assert made_plain(stored).handles.strong.tolist() == plain_strong(handles)


def plain_strong(handles: Handles) -> list[int]:
    return [int(each) for each in handles.strong]


def test_lines_of_a_large_table_are_all_there(twins: Twins) -> None:
    rows = [{"created_site": site, "type_id": 1} for site in range(5_000)]
    stored, plain = twins.show(SegmentImage(types=[{"kind": Kind.ARC}], handles=rows))
    found: Aggregates = aggregate(stored)
    assert len(found) == 5_000
    assert differing(found, aggregate(plain)) == []


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"resource_state": int(Resource.CLOSE_REQUESTED)},
        {"reference_state": int(Reference.RELEASED)},
        {"created_at_ticks": 0},
        {"type_id": 2},
        {"created_site": 1},
    ],
)
@pytest.mark.parametrize("place", [0, 63, 64, 199])
def test_a_row_among_many_alike_is_counted(twins: Twins, other: dict[str, int], place: int) -> None:
    def image(generation: int) -> SegmentImage:
        rows: list[dict[str, int]] = [
            {"address": 64 * slot, "created_at_ticks": at(slot)} for slot in range(1, 201)
        ]
        rows[place] |= other | {"generation": generation}
        types: list[dict[str, Any]] = [{"name": b"A"}, {"name": b"B"}]
        return SegmentImage(types=types, handles=rows, sites=[[("f", "a.py", 1)]])

    mark = mark_now(twins.show(image(1))[1], "mark")
    stored, plain = twins.show(image(2))
    assert differing(aggregate(stored), aggregate(plain)) == []
    assert differing(aggregate(stored, mark), aggregate(plain, mark)) == []
