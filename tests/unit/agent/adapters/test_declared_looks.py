"""Repeated looks for instances of declared classes that no hook saw."""

from __future__ import annotations

import copy
import gc
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.declared.looks import LOOK_SECS, SLOW_SECS, Looks
from tests.unit.agent.adapters import wrapped
from tests.unit.agent.adapters.following import Follower

MODULE = wrapped.__name__
PLAIN = {"class": f"{MODULE}.Plain"}
SESSION = {"class": f"{MODULE}.Session", "handle": "_handle.value", "close": "close"}


class Time:
    """A clock that stands still between looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def look(adapter: DeclaredAdapter, time: Time) -> None:
    """One look, when it is due."""
    time.now += LOOK_SECS
    adapter.poll()


def adapter_with(
    follower: Follower, time: Time, *values: dict[str, Any], work_clock: Callable[[], float] = float
) -> DeclaredAdapter:
    adapter = follower.follow(*values, looks=Looks(clock=time, work_clock=work_clock))
    list(adapter.scan())
    return adapter


@pytest.mark.parametrize(
    ("value", "make"),
    [(PLAIN, lambda: copy.copy(wrapped.Plain())), (SESSION, wrapped.Session.connect)],
)
def test_an_instance_that_no_hook_saw_is_adopted_by_the_second_look(
    follower: Follower, value: Any, make: Callable[[], Any]
) -> None:
    time, name = Time(), value["class"].rpartition(".")[2]
    adapter = adapter_with(follower, time, value)
    kept = make()
    look(adapter, time)
    assert follower.live(name) == []
    adapter.poll()  # not due
    assert follower.live(name) == []
    look(adapter, time)
    (row,) = follower.live(name)
    assert not row.born_now
    gc.collect()  # it is among the oldest from now on
    other = make()
    gc.collect()
    look(adapter, time)
    look(adapter, time)
    assert len(follower.live(name)) == 2
    del kept, other


def test_no_look_adopts_an_instance_whose_constructor_runs(follower: Follower) -> None:
    time = Time()
    adapter = adapter_with(follower, time, SESSION)

    class Slow(wrapped.Session):
        def open(self) -> None:  # from within the hooked constructor, after which the hook looks
            super().open()
            look(adapter, time)
            look(adapter, time)
            list(adapter.scan())
            assert follower.live("Session") == []

    slow = Slow()
    (row,) = follower.live("Session")
    assert row.born_now
    assert adapter.states()["declared"][0]["trouble"] == ""
    del slow


def test_nothing_is_held_between_two_looks(follower: Follower) -> None:
    time = Time()
    adapter = adapter_with(follower, time, SESSION)
    kept = wrapped.Session.connect()
    before = len(gc.get_referrers(kept))
    look(adapter, time)
    assert len(gc.get_referrers(kept)) == before
    del kept
    look(adapter, time)
    look(adapter, time)
    assert follower.live("Session") == []


@pytest.mark.usefixtures("small_heap")
def test_a_heap_that_takes_long_to_pass_says_so_of_the_classes_whose_births_are_not_seen(
    follower: Follower,
) -> None:
    time, ticks = Time(), itertools.count()
    # one slice a look
    adapter = adapter_with(follower, time, SESSION, PLAIN, work_clock=lambda: float(next(ticks)))
    kept = [wrapped.Session.connect() for _ in range(3)]
    filling = [[number] for number in range(200_000)]
    gc.collect()
    while len(follower.live("Session")) < len(kept):
        time.now += 10 * SLOW_SECS
        adapter.poll()
    session, plain = adapter.states()["declared"]
    assert session["unseen"]
    assert "3 instances were born where no hook sees" in session["trouble"]
    assert not plain["unseen"]
    del kept, filling


def test_a_heap_that_is_passed_in_one_look_leaves_nothing_unsaid(follower: Follower) -> None:
    time = Time()
    adapter = adapter_with(follower, time, SESSION)
    kept = wrapped.Session.connect()
    for _ in range(4):
        look(adapter, time)
    assert len(follower.live("Session")) == 1
    assert not adapter.states()["declared"][0]["unseen"]
    del kept
