"""Python objects that native code holds and that close.

By their own method, once, after their uses, on their owner's thread.
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from inspector.errors import ClosedError, CloseError, InspectorError, StaleHandleError
from inspector.runtime import ForeignObjects, drain, foreign_objects
from inspector.runtime.foreign import FOREIGN
from inspector.vocabulary import Level
from inspector.wire import lib

pytestmark = pytest.mark.usefixtures("counting")


class Door:
    """Notes how it was shut."""

    def __init__(self) -> None:
        self.shut: list[tuple[bool, str]] = []

    def shut_it(self, *, quietly: bool = False) -> None:
        if self.shut and self.shut[-1][1] == "stuck":
            self.shut.append((quietly, "forced"))
        else:
            self.shut.append((quietly, threading.current_thread().name))


class StuckDoor(Door):
    """Cannot be shut at the first try."""

    def shut_it(self, *, quietly: bool = False) -> None:
        if not self.shut:
            self.shut.append((quietly, "stuck"))
            raise OSError("the door is stuck")
        super().shut_it(quietly=quietly)


@pytest.fixture
def doors() -> ForeignObjects:
    return ForeignObjects("Door", "test", closes_by="shut_it", closes_with={"quietly": True})


def on_a_thread(work: Callable[[], Any]) -> Any:
    """Run it on a thread of its own; returns its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()), name="elsewhere")
    thread.start()
    thread.join()
    return results[0]


def wait_for_close(doors: ForeignObjects, number: int) -> None:
    """Wait until a pending close has run.

    A thread that was joined may still be at its native end.
    """
    until_secs = time.monotonic() + 60
    while not doors.resource(number).close_result():
        assert time.monotonic() < until_secs, "the close pends for ever"


def test_a_close_calls_the_objects_own_method_once_with_the_maps_arguments(
    doors: ForeignObjects,
) -> None:
    door = Door()
    number = doors.new(door)
    assert doors.close(number) is True
    assert door.shut == [(True, "MainThread")]
    with pytest.raises(ClosedError, match=r"\(Door\) was closed by thread"):
        doors.close(number)
    with pytest.raises(ClosedError):
        doors.value(number)
    assert (doors.delete(number), len(door.shut)) == (door, 1)
    with pytest.raises(StaleHandleError):
        doors.close(number)


def test_an_object_that_gets_no_number_leaves_no_closer_behind(
    doors: ForeignObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise InspectorError("no more numbers")

    held = len(FOREIGN)
    monkeypatch.setattr(foreign_objects, "create", refuse)
    door = Door()
    gone = weakref.ref(door)
    with pytest.raises(InspectorError, match="no more numbers"):
        doors.new(door)
    assert (len(FOREIGN), len(doors)) == (held, 0)
    del door
    assert gone() is None


def test_a_number_of_another_map_of_this_name_is_not_deleted(doors: ForeignObjects) -> None:
    others = ForeignObjects("Door", "test", closes_by="shut_it")
    door = Door()
    number = others.new(door)
    for delete in (doors.must_delete, doors.delete):
        with pytest.raises(StaleHandleError, match="of another map of this name"):
            delete(number)
    assert others.value(number) is door
    assert others.must_delete(number) is door


def test_a_close_may_have_arguments_of_its_own(doors: ForeignObjects) -> None:
    door = Door()
    number = doors.new(door)
    doors.close(number, quietly=False)
    assert door.shut == [(False, "MainThread")]
    doors.delete(number)


def test_a_resource_closes_at_the_end_of_its_block(doors: ForeignObjects) -> None:
    door = Door()
    number = doors.new(door)
    with doors.resource(number) as resource:
        assert resource.value is door
    assert len(door.shut) == 1
    doors.delete(number)


def test_async_with_ends_when_the_uses_have_ended_and_the_object_is_closed(
    doors: ForeignObjects,
) -> None:
    door = Door()
    number = doors.new(door)
    may_leave = threading.Event()
    is_inside = threading.Event()

    def use() -> None:
        with doors.using(number):
            is_inside.set()
            may_leave.wait()

    async def main() -> None:
        async with doors.resource(number):
            asyncio.get_running_loop().call_later(0, may_leave.set)

    user = threading.Thread(target=use, name="user")
    user.start()
    is_inside.wait()
    asyncio.run(main())
    user.join()
    assert door.shut == [(True, "user")]
    doors.delete(number)


def test_a_close_waits_for_the_uses_and_lets_no_new_one_in(doors: ForeignObjects) -> None:
    door = Door()
    number = doors.new(door)
    with doors.using(number) as used:
        assert used is door
        assert doors.close(number) is False
        with pytest.raises(ClosedError, match="was asked to close by"), doors.using(number):
            pass
        assert door.shut == []
    assert len(door.shut) == 1
    doors.delete(number)


def test_a_method_that_raises_fails_the_close_with_its_reason_and_may_be_tried_again(
    doors: ForeignObjects,
) -> None:
    door = StuckDoor()
    number = doors.new(door)
    with pytest.raises(CloseError, match=r"the door is stuck \(OSError\)"):
        doors.close(number)
    assert doors.value(number) is door
    assert doors.close(number) is True
    assert door.shut == [(True, "stuck"), (True, "forced")]
    doors.delete(number)


def test_deleting_takes_a_pending_close_back_and_lets_go_of_the_object(
    doors: ForeignObjects,
) -> None:
    door = Door()
    number = doors.new(door)
    with doors.using(number):
        doors.close(number, quietly=False)
        assert doors.delete(number) is door
    assert door.shut == []
    watched = weakref.ref(door)
    del door
    assert watched() is None


def test_a_connection_is_closed_by_the_thread_that_opened_it_alone() -> None:
    connections = ForeignObjects("Connection", "sqlite3", closes_by="close", owner_closes=True)
    connection = sqlite3.connect(":memory:")
    number = connections.new(connection)
    assert on_a_thread(lambda: connections.close(number)) is False
    connection.execute("select 1")
    assert drain() == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("select 1")
    connections.delete(number)


def test_an_owner_that_ends_without_coming_by_closes_what_waits_for_it() -> None:
    doors = ForeignObjects("OwnedDoor", "test", closes_by="shut_it", owner_closes=True)
    door = Door()
    numbers: list[int] = []
    is_made, may_end = threading.Event(), threading.Event()

    def own() -> None:
        numbers.append(doors.new(door))
        is_made.set()
        may_end.wait()

    owner = threading.Thread(target=own)
    owner.start()
    is_made.wait()
    (number,) = numbers
    assert doors.close(number) is False
    assert door.shut == []
    may_end.set()
    owner.join()
    wait_for_close(doors, number)
    assert len(door.shut) == 1
    doors.delete(number)


def test_after_its_owners_end_anybody_closes() -> None:
    doors = ForeignObjects("OwnedDoor", "test", closes_by="shut_it", owner_closes=True)
    door = Door()
    number = on_a_thread(lambda: doors.new(door))
    with suppress(ClosedError):
        doors.close(number)
    wait_for_close(doors, number)
    assert len(door.shut) == 1
    doors.delete(number)


def test_a_finaliser_on_another_thread_queues_the_close_to_the_owner() -> None:
    doors = ForeignObjects("OwnedDoor", "test", closes_by="shut_it", owner_closes=True)
    door = Door()
    number = doors.new(door)
    answers: list[bool] = []

    class Room:
        """Closes its door when it is collected."""

        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            answers.append(doors.close(number))

    on_a_thread(lambda: (Room() and None, gc.collect()))
    assert (answers, door.shut) == ([False], [])
    assert drain() == 1
    assert door.shut == [(False, threading.current_thread().name)]
    doors.delete(number)


def test_a_map_that_does_not_say_how_its_objects_close_does_not_close_them() -> None:
    plain = ForeignObjects("Plain", "test")
    number = plain.new(Door())
    with pytest.raises(InspectorError, match="its type does not close"):
        plain.close(number)
    plain.delete(number)


def test_a_closed_object_is_explained_although_nothing_was_recorded(doors: ForeignObjects) -> None:
    lib.ai_set_level(Level.OFF)
    number = doors.new(Door())
    doors.close(number)
    with pytest.raises(ClosedError, match="was closed by an unknown thread"):
        doors.value(number)
    doors.delete(number)
