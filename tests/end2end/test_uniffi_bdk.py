from __future__ import annotations

import numpy as np
import pytest

from inspector.model.snapshot import Snapshot
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import start_target
from tests.helpers.watching import counts, ended, watched

ONE = (1, 0, 1, 0)
"""An object with one proxy and nothing else: strong, weak, proxies, native refs."""


def test_a_known_sequence_has_exact_counts_at_each_step() -> None:
    with start_target("bdk_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("amount a 5")
        watch.until(counts("Amount"), [ONE])

        target.ask("share b a")
        watch.until(counts("Amount"), [(2, 0, 2, 0), (2, 0, 2, 0)])

        target.ask("mnemonic m")
        watch.until(counts("Mnemonic"), [ONE])

        target.ask("drop a")
        watch.until(counts("Amount"), [ONE])
        watch.until(ended("Amount"), ["RELEASED"])

        target.ask("drop b")
        watch.until(counts("Amount"), [])
        watch.until(ended("Amount"), ["DROPPED", "RELEASED"])

        target.ask("drop m")
        snapshot = watch.until(counts("Mnemonic"), [])
        assert snapshot.live_count() == 0
        assert target.finish() == 0
        assert target.errors() == ""


def test_objects_born_before_the_agent_are_listed_with_their_counts() -> None:
    with start_target("bdk_steps", "early") as target, watched(target.ready["segment"]) as watch:
        snapshot = watch.until(counts("Amount"), [ONE, ONE])
        assert np.isnan(snapshot.handles.created_at).all()
        assert not snapshot.handles.created_threads.any()

        target.ask("drop early_1")
        watch.until(counts("Amount"), [ONE])
        target.ask("share third early_2")
        watch.until(counts("Amount"), [(2, 0, 2, 0), (2, 0, 2, 0)])


def test_a_leak_made_on_purpose_is_found_by_its_site() -> None:
    with start_target("bdk_steps") as target:
        target.ask("amount other 1")
        target.ask("leak 50")
        table = read_table(target.ready["segment"])

        places = [row.created[0] for row in table.live("Amount")]
        leak = f"bdk_steps.py:{target.ready['remember_line']} remember"
        assert places.count(leak) == 50
        assert len(places) == 51
        assert places[0].endswith(" amount")  # the first of its type
        target.ask("forget")
        with watched(target.ready["segment"]) as watch:
            watch.until(counts("Amount"), [ONE])


def test_whole_stacks_name_who_called() -> None:
    with start_target("bdk_steps", "none") as target:
        segment = target.ask("start stacks")
        target.ask("leak 1")
        (row,) = read_table(segment).live("Amount")

        assert [frame.split()[1] for frame in row.created][:3] == ["remember", "leak", "serve"]
        assert not [frame for frame in row.created if frame.startswith("bdk.py")]


def test_the_creating_thread_is_named() -> None:
    with start_target("bdk_steps") as target:
        target.ask("on_thread a errand-7")

        (row,) = read_table(target.ready["segment"]).live("Amount")
        assert row.created_by == "errand-7"


def test_a_copied_proxy_shows_a_negative_native_count_before_the_double_free() -> None:
    with start_target("bdk_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("amount a 5")
        target.ask("duplicate b a")
        watch.until(counts("Amount"), [(1, 0, 2, -1), (1, 0, 2, -1)])
        target.ask("disarm b")
        target.ask("drop b")
        watch.until(counts("Amount"), [ONE])


def test_clones_leaked_by_calls_that_failed_show_as_native_refs() -> None:
    with start_target("bdk_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("builder t")
        assert target.ask("fail_to_lower t 10") == 10
        watch.until(counts("TxBuilder"), [(11, 0, 1, 10)])


def test_a_class_derived_by_the_program_counts_as_the_native_type() -> None:
    with start_target("bdk_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("own s")
        watch.until(counts("Mnemonic"), [ONE])
        target.ask("drop s")
        watch.until(ended("Mnemonic"), ["DROPPED"])


def test_a_package_imported_after_the_agent_is_followed_from_its_first_object() -> None:
    with start_target("bdk_steps", "late") as target:
        target.ask("load")
        target.ask("leak 3")

        rows = read_table(target.ready["segment"]).live("Amount")
        assert len(rows) == 3
        assert all(row.created_at_ticks and row.created for row in rows)


def test_a_python_object_held_by_rust_is_a_row_of_its_own() -> None:
    with start_target("bdk_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("persister p")
        watch.until(counts("Persister"), [ONE])
        watch.until(lambda snapshot: live_kinds(snapshot).count("uniffi_foreign"), 1)
        target.ask("drop p")
        watch.until(lambda snapshot: live_kinds(snapshot), [])


def live_kinds(snapshot: Snapshot) -> list[str]:
    live = snapshot.handles.references == 1
    return [snapshot.types[int(index)].kind for index in snapshot.handles.types[live]]


def test_stopping_restores_every_attribute_of_every_class() -> None:
    with start_target("bdk_steps", "none") as target:
        before = target.ask("attributes")
        target.ask("start history")
        assert target.ask("attributes") != before
        target.ask("amount a 5")
        target.ask("duplicate b a")
        target.ask("disarm b")
        target.ask("stop")

        assert target.ask("attributes") == before
        target.ask("drop a")
        assert target.finish() == 0
        assert target.errors() == ""


def test_starting_again_lists_what_lives() -> None:
    with start_target("bdk_steps") as target:
        target.ask("amount a 5")
        target.ask("stop")
        segment = target.ask("start history")
        with watched(segment) as watch:
            watch.until(counts("Amount"), [ONE])


def test_closing_a_proxy_is_refused_and_its_holders_are_named() -> None:
    with start_target("bdk_steps") as target, watched(target.ready["segment"]):
        target.ask("amount a 5")
        (row,) = read_table(target.ready["segment"]).live("Amount")
        with connect(target.ready["segment"], target.pid) as connection:
            (answer,) = ask(connection, "preview", handles=[row.number])["answers"]
            assert answer["outcome"] == "refused"
            assert answer["reason"] == "Amount did not opt in to closing"
            assert any(
                "KEPT" in sentence
                for sentence in ask(connection, "referrers", handle=row.number)["referrers"]
            )


@pytest.mark.parametrize("count", [3000])
def test_a_scan_finds_every_object_once(count: int) -> None:
    with start_target("bdk_steps", "none") as target:
        target.ask(f"many {count}")
        segment = target.ask("start count")
        with watched(segment) as watch:
            watch.until(lambda snapshot: len(counts("Amount")(snapshot)), count)
            with connect(segment, target.pid) as connection:
                ask(connection, "scan")
            watch.until(counts("Amount"), [ONE] * count)


def test_a_process_that_ends_with_live_objects_ends_quietly() -> None:
    with start_target("bdk_steps") as target:
        target.ask("amount a 5")
        target.ask("persister p")
        target.ask("leak 10")

        assert target.finish() == 0
        assert target.errors() == ""


def test_calls_in_flight_do_not_raise_the_resting_count() -> None:
    with start_target("bdk_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("amount a 5")
        target.ask("call_on a")
        first = watch.until(counts("Amount"), [ONE])
        watch.until(
            lambda snapshot: (
                snapshot.serial > first.serial + 10 and counts("Amount")(snapshot) == [ONE]
            ),
            True,
        )
        target.ask("quiet")
        watch.until(counts("Amount"), [ONE])


def test_the_resting_count_is_right_in_99_of_100_samples_while_8_threads_call_methods() -> None:
    with start_target("bdk_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("amount a 5")
        target.ask("share b a")
        watch.until(counts("Amount"), [(2, 0, 2, 0), (2, 0, 2, 0)])
        for _ in range(8):
            target.ask("call_on a")
        seen, in_flight, sampled_at = [], 0, 0.0
        while len(seen) < 100:
            snapshot = watch.until(
                lambda snapshot, after=sampled_at: snapshot.sampled_at > after, True
            )
            sampled_at = snapshot.sampled_at
            seen.append(counts("Amount")(snapshot))
            in_flight = max(in_flight, int(snapshot.handles.in_flight.max()))
        target.ask("quiet")
        assert seen.count([(2, 0, 2, 0), (2, 0, 2, 0)]) >= 99
        assert in_flight >= 2


def test_threads_that_make_and_drop_during_scans_leave_no_row_behind() -> None:
    with start_target("bdk_steps", "none") as target:
        target.ask("storm 3 3000")
        segment = target.ask("start count")
        with connect(segment, target.pid) as connection:
            for _ in range(5):
                ask(connection, "scan")
            target.ask("calm")
            ask(connection, "scan")
        with watched(segment) as watch:
            watch.until(counts("Amount"), [])
        assert target.errors() == ""
