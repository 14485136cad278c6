"""Python objects that native code holds by a key."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from inspector.runtime import foreign
from inspector.runtime.foreign import ForeignMap


class Thing:
    pass


def test_an_object_is_held_until_it_is_dropped() -> None:
    held, thing = ForeignMap(), Thing()
    gone = weakref.ref(thing)
    key = held.insert(thing)
    del thing
    gc.collect()
    assert held.get(key) is gone()
    held.drop(key)
    assert gone() is None
    assert len(held) == 0


def test_a_key_is_never_used_again_and_dropping_twice_does_nothing() -> None:
    held = ForeignMap()
    first = held.insert(1)
    held.drop(first)
    held.drop(first)
    assert held.insert(2) != first
    with pytest.raises(KeyError):
        held.get(first)


def test_dropping_may_drop_further_foreign_objects_on_the_same_thread() -> None:
    held = ForeignMap()

    class Chain:
        def __init__(self, key: int) -> None:
            self.key = key

        def __del__(self) -> None:
            held.drop(self.key)

    inner = held.insert(Thing())
    held.drop(held.insert(Chain(inner)))
    assert len(held) == 0


def test_keys_of_several_threads_do_not_collide() -> None:
    held, keys = ForeignMap(), [[] for _ in range(4)]  # type: ignore[var-annotated]

    def insert(mine: list[int]) -> None:
        mine.extend(held.insert(Thing()) for _ in range(1000))

    threads = [threading.Thread(target=insert, args=(mine,)) for mine in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key for mine in keys for key in mine}) == 4000 == len(held)


def test_what_a_callback_raises_is_reported_and_does_not_reach_the_native_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", reported.append)
    monkeypatch.setattr(foreign, "FOREIGN", None)
    foreign.DROP(7)
    assert [(details.exc_type, details.err_msg) for details in reported] == [
        (AttributeError, "Exception ignored in a native callback")
    ]
