from __future__ import annotations

import numpy as np
import pytest

from inspector.model.fields import COUNT_LIMIT
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.model.threads import thread_table
from inspector.vocabulary import Kind, Reference, Resource, handle_text
from inspector.wire.schema import BUSY, Ending, ThreadState
from tests.helpers.segments import ANCHOR_SECS, SegmentImage, at

TODO = {"name": b"TodoList", "origin": b"samples", "kind": Kind.ARC, "size_bytes": 48}
LISTENER = {"name": b"Listener", "origin": b"samples", "kind": Kind.FOREIGN}
CALL = {"name": b"Wallet.sync", "origin": b"bdkpython", "kind": Kind.UNIFFI_CALL}
UNIFFI = {"name": b"Wallet", "origin": b"bdkpython", "kind": Kind.UNIFFI}


def test_a_row_carries_the_number_under_which_the_target_knows_it(snapshot_of):
    handles = snapshot_of(SegmentImage(types=[TODO], handles=[{"generation": 3}])).handles
    assert handles.ids.tolist() == [3 << 32 | 1 << 1]
    assert handle_text(int(handles.ids[0])) == "#1.3"


def test_a_foreign_object_carries_the_foreign_bit(snapshot_of):
    handles = snapshot_of(
        SegmentImage(types=[TODO, LISTENER], handles=[{"type_id": 2}, {"type_id": 1}])
    ).handles
    assert (handles.ids & np.uint64(1)).tolist() == [1, 0]


def test_never_used_slots_are_left_out_and_slots_keep_their_numbers(snapshot_of):
    rows = [{"reference_state": Reference.FREE, "generation": 0}, {"generation": 1}]
    assert [
        handle_text(each)
        for each in snapshot_of(SegmentImage(types=[TODO], handles=rows)).handles.ids.tolist()
    ] == ["#2.1"]


def test_counts_that_were_never_sampled_are_unknown_and_not_zero(snapshot_of):
    handles = snapshot_of(SegmentImage(types=[UNIFFI], handles=[{"address": 64}])).handles
    assert (handles.strong[0], handles.weak[0], handles.in_flight[0], handles.native_refs[0]) == (
        UNKNOWN,
    ) * 4


def test_several_handles_of_one_object_are_its_proxies_and_the_rest_is_native(snapshot_of):
    rows = [
        {"address": 64, "strong": 4},
        {"address": 128, "strong": 1},
        {"address": 64, "strong": 4},
    ]
    handles = snapshot_of(SegmentImage(types=[TODO], handles=rows)).handles
    assert handles.proxies.tolist() == [2, 1, 2]
    assert handles.strong.tolist() == [5, 1, 5]
    assert handles.native_refs.tolist() == [3, 0, 3]


def test_fewer_references_than_proxies_show_as_a_negative_number(snapshot_of):
    rows = [{"address": 64, "strong": 0xFFFF_FFFF} for _ in range(3)]
    handles = snapshot_of(SegmentImage(types=[TODO], handles=rows)).handles
    assert (handles.strong.tolist(), handles.native_refs.tolist()) == ([1, 1, 1], [-2, -2, -2])


def test_all_rows_of_an_object_say_the_same_whichever_of_them_was_sampled_last(snapshot_of):
    rows = [
        {"address": 64},
        {"address": 64, "strong": 2, "weak": 1, "in_flight": 0},
        {"address": 128, "strong": 1},
        {"address": 64, "strong": 9, "weak": 7, "in_flight": 3},
    ]
    handles = snapshot_of(SegmentImage(types=[UNIFFI], handles=rows)).handles
    columns = (
        handles.strong,
        handles.weak,
        handles.in_flight,
        handles.proxies,
        handles.native_refs,
    )
    assert [each[[0, 1, 3]].tolist() for each in columns] == [
        [4] * 3,
        [1] * 3,
        [0] * 3,
        [3] * 3,
        [1] * 3,
    ]


def test_a_handle_that_came_after_the_last_sample_has_a_reference_of_its_own(snapshot_of):
    rows = [{"address": 64, "strong": 1}, {"address": 64}, {"address": 64}]
    handles = snapshot_of(SegmentImage(types=[UNIFFI], handles=rows)).handles
    assert (handles.strong.tolist(), handles.native_refs.tolist()) == ([3] * 3, [0] * 3)


def test_a_pending_call_shows_the_counts_of_its_object_and_is_no_handle_of_it(snapshot_of):
    rows = [{"address": 64, "strong": 2, "weak": 0}, {"address": 64, "type_id": 2}]
    handles = snapshot_of(SegmentImage(types=[UNIFFI, CALL], handles=rows)).handles
    assert (handles.strong.tolist(), handles.proxies.tolist(), handles.native_refs.tolist()) == (
        [2, 2],
        [1, 1],
        [1, 1],
    )


def test_a_tombstone_is_no_proxy_of_the_object_that_lives_at_its_address_now(snapshot_of):
    rows = [
        {"address": 64, "reference_state": Reference.DROPPED, "strong": 1},
        {"address": 64, "strong": 1},
    ]
    handles = snapshot_of(SegmentImage(types=[TODO], handles=rows)).handles
    assert handles.proxies.tolist() == [0, 1]
    assert handles.strong.tolist() == [0, 1]
    assert handles.native_refs.tolist() == [0, 0]


def test_a_released_handle_knows_no_count_any_more(snapshot_of):
    rows = [{"address": 64, "reference_state": Reference.RELEASED, "strong": 2, "weak": 1}]
    handles = snapshot_of(SegmentImage(types=[TODO], handles=rows)).handles
    assert (handles.strong[0], handles.weak[0], handles.proxies[0], handles.native_refs[0]) == (
        UNKNOWN,
    ) * 4


def test_a_counted_object_without_an_address_has_one_proxy(snapshot_of):
    handles = snapshot_of(SegmentImage(types=[UNIFFI], handles=[{"strong": 3}])).handles
    assert (handles.proxies[0], handles.native_refs[0]) == (1, 2)


def test_a_call_is_in_flight_on_every_handle_of_the_object(snapshot_of):
    rows = [{"address": 64}, {"address": 64}, {"address": 128}]
    threads = [
        {
            "depth": 2,
            "calls": [1 << 32 | 1 << 1, 1 << 32 | 1 << 1],
            "call_ticks": [at(1), 0],
            "name": b"worker-1",
        }
    ]
    snapshot = snapshot_of(SegmentImage(types=[TODO], handles=rows, threads=threads))
    assert snapshot.handles.in_flight.tolist() == [2, 2, 0]
    calls = snapshot.threads[1].calls
    assert [call.handle for call in calls] == [1 << 32 | 2] * 2
    assert calls[0].began_at == ANCHOR_SECS + 1
    assert np.isnan(calls[1].began_at)


def test_a_pin_of_an_earlier_generation_counts_for_nobody(snapshot_of):
    threads = [{"depth": 1, "calls": [1 << 32 | 1 << 1]}]
    assert snapshot_of(
        SegmentImage(types=[TODO], handles=[{"generation": 2, "address": 64}], threads=threads)
    ).handles.in_flight.tolist() == [0]


def test_calls_of_a_thread_that_ended_count_for_nobody(snapshot_of):
    threads = [{"depth": 1, "calls": [1 << 32 | 1 << 1], "state": ThreadState.ENDED}]
    snapshot = snapshot_of(SegmentImage(types=[TODO], handles=[{"address": 64}], threads=threads))
    assert snapshot.handles.in_flight.tolist() == [0]
    assert not snapshot.threads[1].alive
    assert snapshot.threads[1].calls == ()


def test_sampled_calls_count_for_kinds_that_clone_for_a_call(snapshot_of):
    rows = [{"address": 64, "in_flight": 3}, {"address": 128}]
    assert snapshot_of(SegmentImage(types=[UNIFFI], handles=rows)).handles.in_flight.tolist() == [
        3,
        UNKNOWN,
    ]


def test_a_row_that_is_being_written_is_marked_and_its_state_read_without_the_busy_bit(snapshot_of):
    handles = snapshot_of(
        SegmentImage(types=[TODO], handles=[{"reference_state": Reference.LIVE | BUSY}, {}])
    ).handles
    assert handles.changing.tolist() == [True, False]
    assert handles.references.tolist() == [Reference.LIVE, Reference.LIVE]


def test_rows_of_states_that_do_not_exist_are_left_out_and_counted(snapshot_of):
    rows = [{"reference_state": 77}, {"resource_state": 99}, {}]
    snapshot = snapshot_of(SegmentImage(types=[TODO], handles=rows))
    assert len(snapshot.handles) == 1
    assert snapshot.lost.counts["damaged_rows"] == 2


def test_times_are_seconds_since_the_epoch_and_unrecorded_ones_are_nan(snapshot_of):
    handles = snapshot_of(
        SegmentImage(types=[TODO], handles=[{"created_at_ticks": at(12.5)}])
    ).handles
    assert handles.created_at[0] == ANCHOR_SECS + 12.5
    assert np.isnan(handles.changed_at[0])


def test_sites_show_the_innermost_frame_first(snapshot_of):
    stack = [("add", "/srv/app.py", 41), ("main", "/srv/app.py", 7)]
    snapshot = snapshot_of(SegmentImage(types=[TODO], sites=[stack], handles=[{"created_site": 1}]))
    assert [frame.short() for frame in snapshot.sites[1].frames] == [
        "app.py:41 add",
        "app.py:7 main",
    ]


def test_counters_of_a_type_are_the_sum_of_its_shards(snapshot_of):
    shards = [{"created": 3, "released": 1}, {"created": 4, "closed": 2}]
    snapshot = snapshot_of(SegmentImage(types=[TODO | {"shards": shards}]))
    row = snapshot.types[1]
    assert (row.name, row.kind, row.created, row.released, row.closed) == (
        "TodoList",
        "arc",
        7,
        1,
        2,
    )
    assert snapshot.vitals.created.tolist() == [0, 7]


def test_pending_states_and_owner_threads_come_through(snapshot_of):
    rows = [{"resource_state": Resource.WAITING_OWNER, "owner_thread": 1, "requester_thread": 2}]
    handles = snapshot_of(SegmentImage(types=[TODO], handles=rows, threads=[{}, {}])).handles
    assert handles.resources.tolist() == [Resource.WAITING_OWNER]
    assert (handles.owner_threads[0], handles.requester_threads[0]) == (1, 2)


def test_the_newest_collections_are_listed_oldest_first(snapshot_of):
    log = [{"at_ticks": at(index), "collected": index} for index in range(32)]
    log[0] = {"at_ticks": at(32), "collected": 32, "forced": 1, "took_nanos": 5_000_000}
    found = snapshot_of(SegmentImage(header={"gc_logged": 33, "gc_log": log})).vitals.collections
    assert [each.serial for each in found] == list(range(1, 33))
    assert (found[-1].collected, found[-1].forced, found[-1].took_secs) == (32, True, 0.005)


def test_columns_are_read_only_copies(snapshot_of):
    handles = snapshot_of(SegmentImage(types=[TODO], handles=[{"address": 64}])).handles
    with pytest.raises(ValueError, match="read-only"):
        handles.addresses[0] = 1
    assert handles.addresses.base is None


def test_an_empty_table_has_no_rows(snapshot_of):
    snapshot = snapshot_of(SegmentImage())
    assert len(snapshot.handles) == 0
    assert snapshot.live_count() == 0


def test_type_numbers_that_do_not_exist_stop_nothing(snapshot_of):
    snapshot = snapshot_of(
        SegmentImage(handles=[{"type_id": 900, "created_thread": 800, "created_site": 60_000}])
    )
    assert len(snapshot.handles) == 1
    assert snapshot.types == {}


ENDED = {"ending": Ending.EXITED, "ended_at_ticks": 2_000_000}


def test_handles_that_the_interpreter_released_after_the_program_ended_were_alive_at_the_end(
    snapshot_of,
):
    gone = {"reference_state": Reference.DROPPED, "type_id": 1}
    rows = [
        gone | {"changed_at_ticks": 1_999_999},
        gone | {"changed_at_ticks": 2_000_000, "resource_state": Resource.NEVER_CLOSED},
    ]
    snapshot = snapshot_of(SegmentImage(types=[TODO], handles=rows, header=ENDED))
    assert snapshot.handles.references.tolist() == [Reference.DROPPED, Reference.LIVE]
    assert snapshot.handles.resources.tolist()[1] == Resource.OPEN
    assert (snapshot.vitals.live, snapshot.vitals.live_by_type()[1]) == (1, 1)


def test_handles_that_were_released_before_an_agent_was_stopped_stay_released(snapshot_of):
    rows = [{"reference_state": Reference.RELEASED, "changed_at_ticks": 2_000_001}]
    stopped = ENDED | {"ending": Ending.STOPPED}
    assert snapshot_of(
        SegmentImage(types=[TODO], handles=rows, header=stopped)
    ).handles.references.tolist() == [Reference.RELEASED]


def limits_of(snapshot: Snapshot) -> dict[str, int]:
    return {each.name: each.used for each in snapshot.limits}


def test_event_rings_of_ended_threads_are_given_out_again_and_not_in_use(snapshot_of):
    threads = [
        {"tid": 10, "ring": 1},
        {"tid": 11, "ring": 2, "state": ThreadState.ENDED},
        {"tid": 12, "ring": 2},
        {"tid": 13},
    ]
    assert limits_of(snapshot_of(SegmentImage(types=[TODO], threads=threads)))["event rings"] == 2


def test_an_ended_thread_is_in_use_only_while_a_living_handle_names_it(snapshot_of):
    threads = [{"tid": 10}, *({"tid": tid, "state": ThreadState.ENDED} for tid in (11, 12, 13))]
    rows = [
        {"created_thread": 2},
        {"created_thread": 3, "reference_state": Reference.DROPPED},
        {"last_thread": 2},
    ]
    assert (
        limits_of(snapshot_of(SegmentImage(types=[TODO], threads=threads, handles=rows)))["threads"]
        == 2
    )


def test_counters_of_a_damaged_thread_stay_in_the_range_of_every_column(snapshot_of):
    threads = [{"name": b"main", "created": 2**64 - 1, "released": 2**64 - 1}]
    snapshot = snapshot_of(SegmentImage(types=[TODO], threads=threads, handles=[{}]))
    thread = next(iter(snapshot.threads.values()))
    assert (thread.created, thread.released) == (COUNT_LIMIT, COUNT_LIMIT)
    assert thread_table(snapshot).created.tolist() == [COUNT_LIMIT]
