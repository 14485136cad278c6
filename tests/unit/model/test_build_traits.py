"""Two counts of a trait's handles in a snapshot."""

from __future__ import annotations

from inspector.model.snapshot import UNKNOWN, Outer, Snapshot
from inspector.vocabulary import Kind, Reference
from tests.helpers.segments import SegmentImage

TRAIT = {
    "name": b"DatabaseImpl",
    "origin": b"nostr_sdk",
    "kind": Kind.UNIFFI_TRAIT,
    "data_offset": 16,
}


BOXED = TRAIT | {"data_offset": 0}
UNIFFI = {"name": b"Wallet", "origin": b"bdkpython", "kind": Kind.UNIFFI}


def counts_of(snapshot: Snapshot) -> list[tuple[int, int, int, int]]:
    """``(strong, inner, outer, native refs)`` of each row."""
    handles = snapshot.handles
    columns = (handles.strong, handles.inner_strong, handles.outer_strong, handles.native_refs)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_the_strong_count_of_a_trait_is_its_inner_one_and_the_clones_of_its_handle(snapshot_of):
    rows = [
        {"address": 64, "data": 0x1010, "strong": 2, "weak": 1, "in_flight": 0, "outer_strong": 3}
    ]
    snapshot = snapshot_of(SegmentImage(types=[TRAIT], handles=rows))
    assert counts_of(snapshot) == [(4, 2, 3, 3)]
    assert snapshot.handles.weak.tolist() == [1]
    assert snapshot.types[1].outer == Outer.ARC


def test_each_handle_of_a_trait_object_has_an_outer_count_and_all_of_them_count_once(snapshot_of):
    rows = [
        {"address": 64, "data": 0x1010, "strong": 2, "outer_strong": 3},
        {"address": 64, "data": 0x2010, "strong": 2, "outer_strong": 2},
        {"address": 128, "data": 0x3010, "strong": 1, "outer_strong": 1},
    ]
    assert counts_of(snapshot_of(SegmentImage(types=[TRAIT], handles=rows))) == [
        (6, 3, 3, 4),
        (6, 3, 2, 4),
        (1, 1, 1, 0),
    ]


def test_handles_that_share_an_outer_arc_count_it_once_and_show_one_number(snapshot_of):
    rows = [
        {"address": 64, "data": 0x1010, "strong": 1, "outer_strong": 2},
        {"address": 64, "data": 0x1010, "strong": 1, "outer_strong": 1},
    ]
    assert counts_of(snapshot_of(SegmentImage(types=[TRAIT], handles=rows))) == [
        (3, 1, 3, 1),
        (3, 1, 3, 1),
    ]


def test_an_outer_count_that_was_not_read_is_unknown_and_so_is_the_sum(snapshot_of):
    rows = [
        {"address": 64, "data": 0x1010, "strong": 1},
        {"address": 64, "data": 0x2010, "strong": 1, "outer_strong": 1},
    ]
    snapshot = snapshot_of(SegmentImage(types=[TRAIT], handles=rows))
    assert counts_of(snapshot) == [(UNKNOWN, 2, UNKNOWN, UNKNOWN), (UNKNOWN, 2, 1, UNKNOWN)]


def test_a_handle_of_a_trait_that_came_after_the_last_sample_has_a_reference_of_its_own(
    snapshot_of,
):
    sampled = {"address": 64, "data": 0x1010, "strong": 1, "outer_strong": 2}
    rows = [sampled, {"address": 64, "data": 0x2010}, {"address": 64, "data": 0x1010}]
    assert counts_of(snapshot_of(SegmentImage(types=[TRAIT], handles=rows))) == [
        (4, 2, 3, 1),
        (4, 2, 1, 1),
        (4, 2, 3, 1),
    ]


def test_a_boxed_trait_has_an_inner_count_only(snapshot_of):
    snapshot = snapshot_of(
        SegmentImage(types=[BOXED], handles=[{"address": 64, "data": 0x1010, "strong": 2}])
    )
    assert counts_of(snapshot) == [(2, 2, UNKNOWN, 1)]
    assert snapshot.types[1].outer == Outer.BOX


def test_what_is_no_trait_or_is_gone_has_neither(snapshot_of):
    rows = [
        {"address": 64, "type_id": 2, "strong": 2, "outer_strong": 9},
        {"address": 128, "strong": 2, "outer_strong": 2, "reference_state": Reference.RELEASED},
        {"address": 128, "strong": 1, "outer_strong": 1, "reference_state": Reference.DROPPED},
    ]
    snapshot = snapshot_of(SegmentImage(types=[TRAIT, UNIFFI], handles=rows))
    assert [each[:3] for each in counts_of(snapshot)] == [
        (2, UNKNOWN, UNKNOWN),
        (UNKNOWN,) * 3,
        (0, UNKNOWN, UNKNOWN),
    ]
    assert snapshot.types[2].outer == Outer.NONE
