from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspector.model.equation import equation_of, with_names
from inspector.model.holders import NamedHolder, NativeHolders
from inspector.model.snapshot import UNKNOWN
from tests.helpers.snapshots import Row, snapshot_of


def equation(**facts: int):
    return equation_of(snapshot_of([Row(1, **facts)]).handles, 0)


def test_proxies_and_native_references_explain_a_strong_count() -> None:
    made = equation(strong=3, proxies=2, native_refs=1, in_flight=1)
    assert (made.proxies, made.native, made.in_flight, made.unexplained, made.missing) == (2, 1, 1, 0, 0)


def test_what_nobody_holds_is_unexplained() -> None:
    assert equation(strong=5, proxies=2, native_refs=1).unexplained == 2


def test_more_proxies_than_references_are_missing_some() -> None:
    assert equation(strong=1, proxies=2, native_refs=-1).missing == 1


def test_an_unsampled_count_explains_nothing() -> None:
    made = equation(strong=UNKNOWN, proxies=1, native_refs=UNKNOWN)
    assert not made.known
    assert (made.unexplained, made.missing) == (0, 0)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(-9, 99))
def test_the_parts_always_add_up(strong: int, proxies: int, native: int) -> None:
    made = equation(strong=strong, proxies=proxies, native_refs=native)
    if native >= 0:
        assert made.proxies + made.native + made.unexplained - made.missing == strong


def test_names_of_native_holders_leave_the_rest_unexplained() -> None:
    made = with_names(equation(strong=5, proxies=2, native_refs=3), NativeHolders((NamedHolder("items", 2, "TodoList"),)))
    assert (made.proxies, made.named, made.native, made.unexplained) == (2, 2, 0, 1)


def test_more_names_than_references_stand_as_far_as_the_count_goes() -> None:
    made = with_names(equation(strong=2, proxies=1, native_refs=1), NativeHolders((NamedHolder("items", 7),)))
    assert (made.named, made.unexplained) == (1, 0)


def test_names_of_an_unsampled_count_explain_nothing() -> None:
    made = with_names(equation(strong=UNKNOWN, proxies=1, native_refs=UNKNOWN), NativeHolders((NamedHolder("items", 7),)))
    assert (made.known, made.names_known, made.named) == (False, True, 0)
