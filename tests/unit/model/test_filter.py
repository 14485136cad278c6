from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.model.filter import FilterError, parse, quoted, replaced
from inspector.model.snapshot import UNKNOWN, Snapshot
from inspector.model.threads import filter_text
from inspector.model.time_of_day import range_text
from inspector.vocabulary import Reference, Resource, handle_text
from tests.helpers.snapshots import T0, Row, World, big_snapshot, snapshot_of

JOURNAL = Row(
    1,
    "Journal",
    resource=Resource.DRAINING,
    strong=3,
    in_flight=2,
    age_secs=90,
    thread="worker-1",
    owner="worker-2",
    site=2,
)
ITEM = Row(2, "TodoItem", strong=1, age_secs=5, thread="worker-10", site=1, generation=3)
DEAD = Row(
    3,
    "TodoItem",
    reference=Reference.DROPPED,
    resource=Resource.NEVER_CLOSED,
    strong=0,
    age_secs=200,
    changed_secs=9,
    thread="MainThread",
    site=0,
)
UNSAMPLED = Row(
    4,
    "TodoList",
    strong=UNKNOWN,
    weak=UNKNOWN,
    native_refs=UNKNOWN,
    in_flight=UNKNOWN,
    age_secs=float("nan"),
    thread="",
    site=0,
)
DOUBLE = Row(
    5, "TodoList", strong=1, proxies=2, native_refs=-1, age_secs=5, thread="MainThread", site=3
)
ROWS = (JOURNAL, ITEM, DEAD, UNSAMPLED, DOUBLE)
WORLD = World(threads=("MainThread", "worker-1", "worker-2", "worker-10"))


def slots_found(source: str, snapshot: Snapshot | None = None) -> list[int]:
    snapshot = snapshot or snapshot_of(ROWS, world=WORLD)
    mask = parse(source).mask(snapshot)
    return ((snapshot.handles.ids[mask] & np.uint64(0xFFFF_FFFF)) >> np.uint64(1)).tolist()


@pytest.mark.parametrize(
    ("source", "slots"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("journal", [1]),
        ("todo", [2, 3, 4, 5]),
        ("app.py:41", [2]),
        ("worker-1", [1, 2]),
        ('thread:"worker-1"', [1]),
        ("thread:worker-2", [1]),
        ("owner:worker", [1]),
        ("type:Journal,TodoItem", [1, 2, 3]),
        ('type:"todo"', []),
        ("state:pending", [1]),
        ("state:dead", [3]),
        ("state:live", [1, 2, 4, 5]),
        ('"never closed"', [3]),
        ("id:#2.3", [2]),
        ("#2.1", []),
        ("id:2", [2]),
        ("site:storage.py", [1]),
        ("kind:arc", [1, 2, 3, 4, 5]),
        ("kind:uniffi", []),
        ("origin:samples", [1, 2, 3, 4, 5]),
        ("strong>=2", [1]),
        ("count=3", [1]),
        ("count:3", [1]),
        ("inflight>0", [1]),
        ("in_flight>0", [1]),
        ("native<0", [5]),
        ("age>10s", [1, 3]),
        ("age>1.4min", [1, 3]),
        ("age<=5s", [2, 5]),
        ("strong!=1", [1, 3]),
        ("-type:Todo", [1]),
        ("-strong>1", [2, 3, 4, 5]),
        ("type:Todo -state:dead strong=1", [2, 5]),
    ],
)
def test_a_filter_finds_exactly_the_rows_it_names(source: str, slots: list[int]) -> None:
    assert slots_found(source) == slots


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("tpye:x", "did you mean “type”"),
        ("foo>3", "there is no number called “foo”"),
        ("type>3", "“type” is a text: use type:… or type=…"),
        ("strong>many", "strong>2"),
        ("age>3q", "ms, s, min, h or d"),
        ("strong>3s", "no unit"),
        ("type:", "type:Journal"),
        ("born:14:03", "born:14:03.."),
        ("born:..", "needs a range of times"),
        ("born:25:00..", "needs a range of times"),
        ("bron:14:03..", "did you mean “born”"),
        ('"open\\"', "quote is not closed"),
        ('"open', "quote is not closed"),
    ],
)
def test_a_bad_filter_says_what_to_type_instead(source: str, hint: str) -> None:
    with pytest.raises(FilterError, match=hint.replace(".", r"\.")):
        parse(source)


@pytest.mark.parametrize(
    "name", ['say "hi"', "back\\slash", 'both \\" of them', "plain", "type:a,b"]
)
def test_a_quoted_name_is_found_whatever_is_in_it(name: str) -> None:
    snapshot = snapshot_of(
        [Row(1, name), Row(2, f"{name} not"), Row(3, "else")],
        world=World(types=(name, f"{name} not", "else")),
    )
    assert slots_found(f"type:{quoted(name)}", snapshot) == [1]
    assert slots_found(f"type:else,{quoted(name)}", snapshot) == [1, 3]
    assert slots_found(quoted(name), snapshot) == [1, 2]


def test_a_thread_without_a_name_is_found_by_its_number() -> None:
    snapshot = snapshot_of([Row(1, thread="MainThread"), Row(2, thread="worker-1")])
    nameless = dataclasses.replace(snapshot.threads[2], name="")
    snapshot = dataclasses.replace(snapshot, threads={**snapshot.threads, 2: nameless})
    assert slots_found(filter_text(nameless), snapshot) == [2]


def test_handles_are_found_by_when_they_were_born() -> None:
    ages = {1: 90.0, 2: 30.25, 3: 30.0, 4: 5.0, 5: float("nan")}
    snapshot = snapshot_of([Row(slot, age_secs=secs) for slot, secs in ages.items()])
    assert slots_found(f"born:{range_text(T0 - 31, T0 - 29)}", snapshot) == [2, 3]
    assert slots_found(f"born:{range_text(T0 - 30.2, T0 - 29)}", snapshot) == [3]
    assert slots_found(f"born:{range_text(T0 - 31, T0).partition('..')[0]}..", snapshot) == [
        2,
        3,
        4,
    ]
    assert slots_found(f"born:..{range_text(T0 - 31, T0).partition('..')[0]}", snapshot) == [1]
    assert parse(f"born:{range_text(T0 - 31, T0 - 29)}").born_between(T0) == pytest.approx(
        (T0 - 31, T0 - 29)
    )
    assert parse("type:Journal").born_between(T0) is None


def test_one_term_of_a_filter_is_replaced_and_the_others_stay() -> None:
    assert (
        replaced('type:"a b" born:14:03.. -x', "born", "born:14:05..")
        == 'type:"a b" -x born:14:05..'
    )
    assert replaced("born:14:03..", "born", "") == ""


def test_a_rust_path_is_a_plain_word() -> None:
    assert slots_found(
        "std::sync", snapshot_of([Row(1, "std::sync::Arc")], world=World(types=("std::sync::Arc",)))
    ) == [1]


def test_unknown_counts_match_no_comparison() -> None:
    assert 4 not in slots_found("strong<100") + slots_found("strong>=0") + slots_found(
        "native<5"
    ) + slots_found("age<1d")


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("state:dropped", True),
        ("id:4", True),
        ("state:open", False),
        ("dropped", False),
        ("", False),
    ],
)
def test_only_a_filter_by_dead_state_or_id_asks_for_tombstones(source: str, wanted: bool) -> None:
    assert parse(source).names_tombstones() is wanted


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_one_clear_line(source: str) -> None:
    problem, mask = "", None
    try:
        mask = parse(source).mask(snapshot_of(ROWS, world=WORLD))
    except FilterError as error:
        problem = str(error)
    assert (mask is None) == bool(problem)
    assert "\n" not in problem
    assert mask is None or (mask.dtype == np.bool_ and len(mask) == len(ROWS))


WORDS = st.sampled_from(
    [
        "type:Journal",
        "state:live",
        "strong>1",
        "age>10s",
        "worker",
        "site:app",
        "native>=1",
        "id:7",
        "thread:worker-1",
    ]
)


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_terms_are_joined_by_and(words: list[str]) -> None:
    snapshot = big_snapshot(300, tombstones=40, pending=10)
    together = parse(" ".join(words)).mask(snapshot)
    each = np.logical_and.reduce([parse(word).mask(snapshot) for word in words])
    assert np.array_equal(together, each)


@given(WORDS)
def test_a_minus_gives_the_other_rows(word: str) -> None:
    snapshot = big_snapshot(300, tombstones=40, pending=10)
    assert np.array_equal(parse(f"-{word}").mask(snapshot), ~parse(word).mask(snapshot))


@given(st.integers(1, 300))
def test_every_row_is_found_by_the_id_it_shows(slot: int) -> None:
    snapshot = big_snapshot(300)
    assert slots_found(handle_text(int(snapshot.handles.ids[slot - 1])), snapshot) == [slot]


@given(
    st.sampled_from(["strong", "weak", "proxies", "inflight"]),
    st.sampled_from([">", ">=", "<", "<=", "=", "!="]),
    st.integers(0, 4),
)
def test_comparisons_agree_with_plain_python(key: str, op: str, number: int) -> None:
    snapshot = big_snapshot(200)
    compare = {
        ">": int.__gt__,
        ">=": int.__ge__,
        "<": int.__lt__,
        "<=": int.__le__,
        "=": int.__eq__,
        "!=": int.__ne__,
    }[op]
    column = getattr(snapshot.handles, {"inflight": "in_flight"}.get(key, key)).tolist()
    assert parse(f"{key}{op}{number}").mask(snapshot).tolist() == [
        compare(value, number) for value in column
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("age > 10s", "age>10s"),
        ("strong >=2 type: Journal", "strong>=2 type:Journal"),
        ("type=Journal", "type:Journal"),
        ("type != Journal", "-type:Journal"),
        ("-age > 10s", "-age>10s"),
        ("born : 14:03..14:05", "born:14:03..14:05"),
    ],
)
def test_blanks_around_an_operator_and_an_equals_sign_are_understood(
    written: str, meant: str
) -> None:
    assert parse(written).terms == parse(meant).terms


def test_blanks_of_quoted_texts_stay() -> None:
    (term,) = parse('"age > 10s"').terms
    assert term == parse('"age > 10s"').terms[0]
    assert term != parse('"age>10s"').terms[0]
