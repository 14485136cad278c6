"""Who holds an object, in words that lead to the line of code."""

from __future__ import annotations

from inspector.agent.referrers import MOST, describe_referrers

KEPT: list[object] = []


class Owner:
    def __init__(self, thing: object) -> None:
        self.thing = thing


def test_a_list_that_is_a_module_global_is_named_with_the_position() -> None:
    thing = Owner(None)
    KEPT.extend([None, thing])
    try:
        assert f"list of 2, at 1 (global {__name__}.KEPT)" in describe_referrers(thing)
    finally:
        KEPT.clear()


def test_an_attribute_is_named_with_its_object() -> None:
    thing = Owner(None)
    owner = Owner(thing)
    described = describe_referrers(thing)
    assert any("Owner at" in line for line in described), described
    assert owner.thing is thing


def test_a_dict_is_named_with_its_key() -> None:
    thing = Owner(None)
    held = {"first": thing}
    assert "dict of 1, at 'first'" in describe_referrers(thing)
    assert held


def test_what_is_left_out_is_not_told() -> None:
    thing = Owner(None)
    held = [thing]
    assert not [line for line in describe_referrers(thing, [held]) if line.startswith("list of 1")]


def test_more_holders_than_a_person_reads_are_cut_off() -> None:
    thing = Owner(None)
    holders = [[thing] for _ in range(MOST * 2)]
    assert len(describe_referrers(thing)) == MOST
    assert holders


def test_looking_keeps_nothing_alive() -> None:
    import weakref

    thing = Owner(None)
    gone = weakref.ref(thing)
    describe_referrers(thing)
    del thing
    assert gone() is None
