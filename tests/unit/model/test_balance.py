from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.balance import BalanceNode, balance_of, folded, is_library, of_object, of_type
from inspector.model.balance_counts import Tally
from inspector.model.events import Events
from inspector.model.snapshot import UNKNOWN
from inspector.model.stacks import Frame, Site
from inspector.vocabulary import EventKind, Reference
from tests.helpers.snapshots import T0, Row, handle_id, snapshot_of
from tests.helpers.targets import ROOT

OBJECT = 0x7F00_0000_1000
SITES = {
    1: Site(1, (Frame("add", "/src/app.py", 41), Frame("main", "/src/app.py", 7))),
    2: Site(
        2,
        (
            Frame("alloc::vec::push", "/lib/x.so", 0),
            Frame("keep", "/src/lib.rs", 9),
            Frame("main", "/src/app.py", 7),
        ),
    ),
}


def events(
    *told: tuple[EventKind, int, int, int], counts: Sequence[int] = (), types: Sequence[int] = ()
) -> Events:
    """Kind, handle, address and site of each, a millisecond apart.

    ``counts``: strong counts after them, by default unknown.
    """
    count = len(told)
    zeros = np.zeros(count, np.int64)
    return Events(
        at=T0 - 1 + np.arange(count) / 1000,
        kinds=np.array([kind for kind, *_ in told], np.uint8),
        handles=np.array([handle for _, handle, *_ in told], np.uint64),
        addresses=np.array([address for _, _, address, _ in told], np.uint64),
        counts=np.array(counts or [UNKNOWN] * count, np.int64),
        threads=zeros,
        sites=np.array([site for *_, site in told], np.int64),
        types=np.array(types or zeros, np.int64),
        numbers=np.arange(count, dtype=np.uint64),
    )


def test_a_handle_s_release_takes_its_creation_away() -> None:
    made = balance_of(
        events((EventKind.CREATE, 6, OBJECT, 1), (EventKind.RELEASE, 6, OBJECT, 2)), SITES
    )
    assert (made.sites, made.matched, made.net) == ((), 1, 0)


def test_what_was_never_released_remains_at_the_site_that_made_it() -> None:
    made = balance_of(
        events(*[(EventKind.CLONE, 0, OBJECT, 1)] * 3, (EventKind.RELEASE, 0, OBJECT, 2)), SITES
    )
    (site,) = made.sites
    assert (site.text, site.net, made.matched) == ("app.py:41 add", 2, 1)
    assert [caller.text for caller in site.callers] == ["app.py:7 main"]


def test_the_newest_native_clone_of_the_same_object_is_matched_first() -> None:
    made = balance_of(
        events(
            (EventKind.CLONE, 0, OBJECT, 1),
            (EventKind.CLONE, 0, OBJECT, 2),
            (EventKind.RELEASE, 0, OBJECT, 2),
        ),
        SITES,
    )
    assert [(site.text, site.net) for site in made.sites] == [("app.py:41 add", 1)]


def test_a_release_whose_clone_was_before_the_recording_is_minus_one() -> None:
    made = balance_of(events((EventKind.RELEASE, 6, OBJECT, 1)), SITES)
    assert [(site.text, site.net) for site in made.sites] == [("app.py:41 add", -1)]


def test_objects_are_not_matched_with_each_other() -> None:
    made = balance_of(
        events((EventKind.CLONE, 0, OBJECT, 1), (EventKind.RELEASE, 0, OBJECT + 64, 1)), SITES
    )
    assert (made.matched, made.net) == (0, 0)
    assert made.sites == ()  # one up and one down at the same site cancel out


def test_calls_and_closes_count_for_nothing() -> None:
    told = [
        (kind, 6, OBJECT, 1)
        for kind in (EventKind.BORROW, EventKind.RETURN, EventKind.CLOSE, EventKind.DROP)
    ]
    assert balance_of(events(*told), SITES).tally.ups == 0


def test_a_site_that_was_not_recorded_says_so() -> None:
    assert (
        balance_of(events((EventKind.CLONE, 0, OBJECT, 0)), SITES).sites[0].text
        == "site not recorded"
    )


def test_library_frames_are_folded_and_those_inside_of_the_program_s_innermost_left_out() -> None:
    frames = (
        Frame("core::clone", "/lib/x.so", 0),
        Frame("add", "/src/app.py", 41),
        Frame("run", "/usr/lib/python3.11/asyncio/events.py", 80),
        Frame("run_once", "/usr/lib/python3.11/asyncio/base_events.py", 99),
        Frame("main", "/src/app.py", 7),
    )
    assert [node.text for node in folded(frames)] == [
        "app.py:41 add",
        "2 library frames",
        "app.py:7 main",
    ]
    assert [node.folded for node in folded(frames)] == [0, 2, 0]


def test_the_interpreter_s_code_is_a_library_whether_or_not_its_source_lines_are_known() -> None:
    interpreter = "/usr/lib/libpython3.11.so.1.0"
    assert is_library(Frame("_PyEval", interpreter, 0))
    assert is_library(Frame("_PyEval", "/build/Python/ceval.c", 9, interpreter))
    assert is_library(Frame("new<T>", "/rustc/c1f1/library/alloc/src/sync.rs", 9, "/srv/x.so"))
    assert not is_library(Frame("open_cart", "/srv/shop.c", 9, "/srv/x.so"))


def test_the_crates_of_the_runtime_are_libraries_and_the_samples_are_a_programs_code() -> None:
    packages = [path.parent for path in (ROOT / "native/crates").glob("*/Cargo.toml")]
    names = {
        tomllib.loads((path / "Cargo.toml").read_text())["package"]["name"] for path in packages
    }
    crates = {name.replace("-", "_") for name in names}
    assert len(crates) > 10
    folded_ones = {
        crate
        for crate in crates
        for function in (f"{crate}::a::b", f"<{crate}::A as B>::c")
        if is_library(Frame(function, "/srv/native/x.rs", 9, "/srv/x.so"))
    }
    assert crates - folded_ones == {"arc_inspector_samples"}


def test_a_stack_of_library_frames_alone_stays_whole() -> None:
    frames = (Frame("core::clone", "/lib/x.so", 0), Frame("std::thread", "/lib/x.so", 0))
    assert folded(frames) == (
        BalanceNode("x.so core::clone", 0, "/lib/x.so"),
        BalanceNode("x.so std::thread", 0, "/lib/x.so"),
    )
    assert is_library(frames[0])


def test_an_object_s_events_are_those_of_all_its_handles_and_of_native_code() -> None:
    snapshot = snapshot_of([Row(3, address=OBJECT), Row(4, address=OBJECT), Row(5)])
    told = events(
        (EventKind.CREATE, handle_id(3), OBJECT, 1),
        (EventKind.CLONE, handle_id(4), OBJECT, 1),
        (EventKind.CLONE, 0, OBJECT, 1),
        (EventKind.CREATE, handle_id(5), OBJECT + 64, 1),
        (EventKind.CLONE, 0, OBJECT + 64, 1),
    )
    assert of_object(told, snapshot, handle_id(3)).tolist() == [True, True, True, False, False]


def test_an_earlier_object_at_the_same_address_is_another_one() -> None:
    snapshot = snapshot_of([Row(3, address=OBJECT, age_secs=0.9995)])
    told = events(
        (EventKind.CLONE, 0, OBJECT, 1),
        (EventKind.CREATE, handle_id(3), OBJECT, 1),
        (EventKind.CLONE, 0, OBJECT, 1),
    )
    assert of_object(told, snapshot, handle_id(3)).tolist() == [False, True, True]


def test_a_type_s_events_are_those_of_all_its_objects() -> None:
    snapshot = snapshot_of(
        [Row(3, "TodoItem", address=OBJECT), Row(4, "Journal", address=OBJECT + 64)]
    )
    told = events(
        (EventKind.CREATE, handle_id(3), OBJECT, 1),
        (EventKind.CLONE, 0, OBJECT, 1),
        (EventKind.CREATE, handle_id(4), OBJECT + 64, 1),
    )
    index = int(snapshot.handles.types[0])
    # a native event without a type belongs to no proxy
    assert of_type(told, snapshot, index).tolist() == [True, False, False]
    told = dataclasses.replace(told, types=np.array([index, index, index + 1]))
    assert of_type(told, snapshot, index).tolist() == [True, True, False]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([EventKind.CLONE, EventKind.RELEASE]),
            st.integers(0, 3),
            st.integers(1, 2),
        ),
        max_size=60,
    )
)
def test_what_is_left_always_adds_up(told: list[tuple[EventKind, int, int]]) -> None:
    made = balance_of(
        events(*((kind, 0, OBJECT + which * 64, site) for kind, which, site in told)), SITES
    )
    assert sum(site.net for site in made.sites) == made.net


def test_a_proxy_that_was_there_before_belongs_to_the_object_of_a_later_one() -> None:
    snapshot = snapshot_of(
        [Row(3, address=OBJECT, age_secs=float("nan")), Row(4, address=OBJECT, age_secs=0.5)]
    )
    told = events(
        (EventKind.CLONE, handle_id(3), OBJECT, 1), (EventKind.CREATE, handle_id(4), OBJECT, 1)
    )
    assert of_object(told, snapshot, handle_id(4)).tolist() == [True, True]


def test_the_events_of_an_object_whose_birth_nobody_saw_are_all_its_own() -> None:
    snapshot = snapshot_of([Row(3, address=OBJECT, age_secs=float("nan"))])
    told = events(
        (EventKind.CREATE, 0, OBJECT, 1),
        (EventKind.RELEASE, handle_id(3), OBJECT, 2),
        (EventKind.CLONE, 0, OBJECT + 16, 2),
    )
    assert of_object(told, snapshot, handle_id(3)).tolist() == [True, True, False]


def test_a_clone_that_a_call_consumed_is_a_pair_although_no_event_tells_its_end() -> None:
    calls = [(EventKind.CLONE, 0, OBJECT, 1)] * 50
    made = balance_of(
        events((EventKind.CREATE, 6, OBJECT, 2), *calls, counts=[1] + [2] * 50), SITES
    )
    assert (made.tally.ups, made.tally.downs, made.tally.unseen_downs) == (51, 49, 49)
    assert made.matched == 49  # nothing is known yet of the last call
    later = snapshot_of([Row(3, address=OBJECT, strong=1)])
    made = balance_of(
        events((EventKind.CREATE, 6, OBJECT, 2), *calls, counts=[1] + [2] * 50),
        SITES,
        snapshot=later,
    )
    assert (made.net, [(site.text, site.net) for site in made.sites]) == (1, [("lib.rs:9 keep", 1)])


def test_a_clone_that_native_code_kept_stays_at_the_line_that_handed_it_over() -> None:
    told = [(EventKind.CREATE, 6, OBJECT, 2), *[(EventKind.CLONE, 0, OBJECT, 1)] * 3]
    made = balance_of(
        events(*told, counts=[1, 2, 3, 3]),
        SITES,
        snapshot=snapshot_of([Row(3, address=OBJECT, strong=3)]),
    )
    assert made.net == 3
    assert {site.text: site.net for site in made.sites} == {"app.py:41 add": 2, "lib.rs:9 keep": 1}


def test_references_that_native_code_takes_by_itself_are_counted_without_a_place() -> None:
    told = [(EventKind.CREATE, 6, OBJECT, 2), (EventKind.CLONE, 0, OBJECT, 1)]
    made = balance_of(events(*told, counts=[1, 5]), SITES)
    assert (made.net, made.tally.unseen_ups) == (5, 3)
    assert {site.text: site.net for site in made.sites} == {
        "site not recorded": 3,
        "app.py:41 add": 1,
        "lib.rs:9 keep": 1,
    }


def test_an_object_that_died_passes_no_count_on_to_the_next_one_at_its_address() -> None:
    told = [
        (EventKind.CREATE, 6, OBJECT, 1),
        (EventKind.RELEASE, 6, OBJECT, 1),
        (EventKind.CREATE, 8, OBJECT, 1),
    ]
    assert balance_of(events(*told, counts=[1, 0, 3]), SITES).tally == Tally(2, 1, 0, 0)


@given(st.lists(st.sampled_from(["clone", "consume", "keep", "drop"]), max_size=60))
def test_the_balance_always_equals_the_count(steps: list[str]) -> None:
    strong, told, counts = 1, [(EventKind.CREATE, 6, OBJECT, 2)], [1]
    for step in steps:
        if step in ("clone", "keep"):
            strong += 1
            told.append((EventKind.CLONE, 0, OBJECT, 1))
            counts.append(strong)
        if step == "clone" or (step == "consume" and strong > 1):
            strong -= 1
        elif step == "drop" and strong > 1:
            strong -= 1
            told.append((EventKind.RELEASE, 0, OBJECT, 1))
            counts.append(strong)
    made = balance_of(
        events(*told, counts=counts),
        SITES,
        snapshot=snapshot_of([Row(3, address=OBJECT, strong=strong)]),
    )
    assert made.net == strong == sum(site.net for site in made.sites)


def test_the_history_of_an_object_leaves_out_the_dead_ones_at_its_address() -> None:
    dead = [
        Row(
            2 + n,
            address=OBJECT,
            age_secs=1.0 - n / 100,
            reference=Reference.DROPPED,
            changed_secs=0.995 - n / 100,
        )
        for n in range(7)
    ]
    snapshot = snapshot_of([*dead, Row(9, address=OBJECT, age_secs=0.9)])
    told = [
        (kind, handle_id(2 + n), OBJECT, 1)
        for n in range(7)
        for kind in (EventKind.CREATE, EventKind.RELEASE)
    ]
    told.append((EventKind.CREATE, handle_id(9), OBJECT, 1))
    counts = [1, 0] * 7 + [1]
    happened = dataclasses.replace(
        events(*told, counts=counts),
        at=np.array([T0 - 1 + n / 200 for n in range(14)] + [T0 - 0.9]),
    )
    assert of_object(happened, snapshot, handle_id(9)).tolist() == [False] * 14 + [True]
    assert (
        of_object(happened, snapshot, handle_id(4)).tolist()
        == [False] * 4 + [True] * 2 + [False] * 9
    )


def test_handles_that_share_one_object_are_told_together_also_after_one_was_released() -> None:
    rows = [
        Row(3, address=OBJECT, age_secs=0.99, reference=Reference.RELEASED, changed_secs=0.98),
        Row(4, address=OBJECT, age_secs=0.97),
    ]
    told = events(
        (EventKind.CREATE, handle_id(3), OBJECT, 1),
        (EventKind.RELEASE, handle_id(3), OBJECT, 1),
        (EventKind.CREATE, handle_id(4), OBJECT, 1),
        counts=[1, 1, 2],
    )
    assert of_object(told, snapshot_of(rows), handle_id(4)).tolist() == [True] * 3


def test_a_wrapper_of_the_followed_package_names_no_site_another_package_does() -> None:
    wrapper, caller = (
        "/v/lib/python3.11/site-packages/bdkpython/wrap.py",
        "/v/lib/python3.11/site-packages/service/run.py",
    )
    frames = (
        Frame("make", wrapper, 3),
        Frame("run", "/usr/lib/python3.11/asyncio/events.py", 84),
        Frame("serve", caller, 9),
    )
    assert [node.text for node in folded(frames, ("bdkpython",))] == ["run.py:9 serve"]
    assert Site(1, frames, packages=("bdkpython",)).short() == "run.py:9 serve"
