from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inspector.model.equation import TraitParts, equation_of, with_names
from inspector.model.holders import NamedHolder, NativeHolders
from inspector.model.snapshot import UNKNOWN, Outer
from inspector.vocabulary import Reference
from tests.helpers.snapshots import Row, World, snapshot_of

WORLD = World(types=("Database", "TodoItem"), traits={"Database": Outer.ARC})
BOXES = World(types=("Database",), traits={"Database": Outer.BOX})
OLDER = World(types=("Database",), traits={"Database": Outer.NONE})


def equation(**facts: int):
    return equation_of(snapshot_of([Row(1, **facts)]).handles, 0)


def test_proxies_and_native_references_explain_a_strong_count() -> None:
    made = equation(strong=3, proxies=2, native_refs=1, in_flight=1)
    assert (made.proxies, made.native, made.in_flight, made.unexplained, made.missing) == (
        2,
        1,
        1,
        0,
        0,
    )


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
    made = with_names(
        equation(strong=5, proxies=2, native_refs=3),
        NativeHolders((NamedHolder("items", 2, "TodoList"),)),
    )
    assert (made.proxies, made.named, made.native, made.unexplained) == (2, 2, 0, 1)


def test_more_names_than_references_stand_as_far_as_the_count_goes() -> None:
    made = with_names(
        equation(strong=2, proxies=1, native_refs=1), NativeHolders((NamedHolder("items", 7),))
    )
    assert (made.named, made.unexplained) == (1, 0)


def test_names_of_an_unsampled_count_explain_nothing() -> None:
    made = with_names(
        equation(strong=UNKNOWN, proxies=1, native_refs=UNKNOWN),
        NativeHolders((NamedHolder("items", 7),)),
    )
    assert (made.known, made.names_known, made.named) == (False, True, 0)


def parts(*rows: Row, world: World = WORLD) -> TraitParts | None:
    snapshot = snapshot_of(rows, world=world)
    return equation_of(snapshot.handles, 0, snapshot.types[int(snapshot.handles.types[0])]).parts


def trait(slot: int = 1, **facts: int) -> Row:
    return Row(slot, "Database", **facts)


def test_a_trait_has_an_inner_and_an_outer_count_that_make_up_the_strong_one() -> None:
    found = parts(trait(strong=4, native_refs=3, inner_strong=2, outer_strong=3))
    assert found == TraitParts(Outer.ARC, inner=2, outer=3, handles=1, others=0)
    assert found.clones == 2


def test_clones_of_the_objects_other_handles_are_told_apart() -> None:
    rows = [
        trait(1, address=64, strong=6, proxies=2, native_refs=4, inner_strong=3, outer_strong=3),
        trait(2, address=64, strong=6, proxies=2, native_refs=4, inner_strong=3, outer_strong=2),
    ]
    found = parts(*rows)
    assert found == TraitParts(Outer.ARC, inner=3, outer=3, handles=1, others=1)


def test_handles_that_point_into_one_outer_arc_are_no_clones_of_it() -> None:
    rows = [
        trait(slot, address=64, data=4096, strong=2, proxies=2, inner_strong=1, outer_strong=2)
        for slot in (1, 2)
    ]
    gone = trait(3, address=64, data=4096, reference=Reference.RELEASED)
    found = parts(*rows, gone)
    assert found == TraitParts(Outer.ARC, inner=1, outer=2, handles=2, others=0)
    assert found.clones == 0


def test_a_box_has_no_count_and_the_inner_one_is_all() -> None:
    found = parts(trait(strong=2, native_refs=1, inner_strong=2), world=BOXES)
    assert found is not None
    assert (found.outer_is, found.inner, found.outer, found.clones) == (
        Outer.BOX,
        2,
        UNKNOWN,
        UNKNOWN,
    )


def test_unsampled_parts_are_unknown() -> None:
    found = parts(trait(strong=UNKNOWN, weak=UNKNOWN, native_refs=UNKNOWN))
    assert found == TraitParts(Outer.ARC, inner=UNKNOWN, outer=UNKNOWN, handles=1, others=UNKNOWN)


def test_a_file_of_before_has_the_sum_alone() -> None:
    found = parts(trait(strong=4, native_refs=3), world=OLDER)
    assert found == TraitParts(Outer.NONE, inner=UNKNOWN, outer=UNKNOWN, handles=1, others=UNKNOWN)


def test_what_is_no_trait_or_is_gone_has_no_parts() -> None:
    assert parts(Row(1, "TodoItem", strong=2, native_refs=1)) is None
    assert parts(trait(reference=Reference.RELEASED, strong=UNKNOWN)) is None
