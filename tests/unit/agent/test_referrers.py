"""The holders of an object, in words that lead to the line of code."""

from __future__ import annotations

import ctypes
import sys
from _random import Random
from types import ModuleType
from typing import Any

import pytest

from inspector.agent.plain import hides_referents
from inspector.agent.referrers import MOST, describe_referrers
from inspector.agent.retainers import Steps, search

KEPT: list[object] = []


class Owner:
    def __init__(self, thing: object) -> None:
        self.thing = thing


@pytest.mark.usefixtures("whole_heap")
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


class Meta(type):
    """A class whose attributes are code of the program."""

    def __getattribute__(cls, name: str) -> object:
        RAN.append(f"Meta.{name}")
        return type.__getattribute__(cls, name)

    def __eq__(cls, other: object) -> bool:
        RAN.append("Meta.__eq__")
        return cls is other

    __hash__ = type.__hash__


class Nosy(metaclass=Meta):
    """Each look at an instance would be seen."""

    __slots__ = ("__dict__", "kept")

    def __getattribute__(self, name: str) -> object:
        RAN.append(name)
        return object.__getattribute__(self, name)


class NosyDict(dict):
    def items(self) -> object:
        RAN.append("items")
        return super().items()

    def get(self, *words: object) -> object:
        RAN.append("get")
        return None

    def __len__(self) -> int:
        RAN.append("len")
        return 0


class NosyKey(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        RAN.append("key")
        return str.__eq__(self, other)

    __hash__ = str.__hash__

    def __repr__(self) -> str:
        RAN.append("repr")
        return ""


class NosyModule(ModuleType):
    def __getattribute__(self, name: str) -> object:
        RAN.append(name)
        return super().__getattribute__(name)


RAN: list[str] = []


def nosy_holders(thing: object) -> list[object]:
    """Holders of a thing whose classes notice being looked at."""
    attribute, slot, module = Nosy(), Nosy(), NosyModule("nosy")
    object.__getattribute__(attribute, "__dict__")["kept"] = thing
    Nosy.__dict__["kept"].__set__(slot, thing)  # type: ignore[attr-defined]
    dict.__setitem__(ModuleType.__dict__["__dict__"].__get__(module), "kept", thing)
    sys.modules["nosy"] = module
    cls = Meta("Holder", (), {"kept": thing})
    return [
        attribute,
        slot,
        module,
        cls,
        NosyDict(a=thing),
        {NosyKey("__name__"): thing},
        {NosyKey("b"): [thing]},
    ]


def test_no_code_of_the_program_runs_when_holders_are_described() -> None:
    thing = Owner(None)
    holders = nosy_holders(thing)
    try:
        RAN.clear()
        described = describe_referrers(thing)
        steps = search(thing, {})
        while True:
            try:
                next(steps)
            except StopIteration as done:
                report = done.value
                break
        ran = list(RAN)
    finally:
        del sys.modules["nosy"]
    assert ran == []
    assert "attribute kept of" in "".join(described)
    assert report["holders"] >= len(holders) - 1


def report_of(steps: Steps) -> dict[str, Any]:
    """The holders of a thing, without this function itself."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return dict(done.value)


def test_references_that_the_collector_does_not_see_are_counted() -> None:
    keeper = [Owner(None)]
    seen = report_of(search(keeper[0], {}))
    assert (seen["references"], seen["known_references"], seen["hides_referents"]) == (1, 1, "")
    unseen = ctypes.py_object(keeper[0])
    ctypes.pythonapi.Py_IncRef(unseen)
    try:
        del unseen
        found = report_of(search(keeper[0], {}))
        assert (found["references"], found["known_references"]) == (2, 1)
    finally:
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(keeper[0]))


def test_a_class_that_does_not_tell_what_it_holds_is_named() -> None:
    class Derived(Random):
        pass

    assert hides_referents(Random) == hides_referents(Derived) == "_random.Random"
    assert [hides_referents(cls) for cls in (Owner, int, Nosy, str)] == ["", "", "", ""]
