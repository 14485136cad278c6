"""Every ownership strategy from Python: the same list, and their differences."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import pytest

from inspector.errors import (
    HandleError,
    NativePanicError,
    PoisonedError,
    StaleHandleError,
    UnknownHandleError,
    WrongTypeError,
    ZeroHandleError,
)
from inspector.runtime import (
    ForeignObjects,
    SerialTodoList,
    SharedTodoList,
    ThinTodoList,
    TodoItem,
    TodoList,
)
from inspector.runtime.handles import call_for_number
from inspector.vocabulary import Kind
from inspector.wire import lib

StrategyList = SerialTodoList | SharedTodoList | ThinTodoList
EVERY: tuple[type[StrategyList], ...] = (SerialTodoList, SharedTodoList, ThinTodoList)


class Thing:
    """Something that can be watched."""


@pytest.fixture(params=EVERY, ids=lambda kind: kind.__name__)
def make(request: pytest.FixtureRequest) -> type[StrategyList]:
    chosen: type[StrategyList] = request.param
    return chosen


def on_threads(count: int, work: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_list_shares_its_items_and_merges_itself_too(make: type[StrategyList]) -> None:
    todo, other, item = make(), make(), TodoItem("milk")
    todo.add_item(item)
    other.add_text("bread")
    todo.merge(other)
    todo.merge(todo)
    assert [each.text for each in todo.get_items()] == ["milk", "bread", "milk", "bread"]
    assert todo.item_at(2) == item
    assert (len(todo), len(other)) == (4, 1)
    gc.collect()
    assert item.counts().strong == 3


def test_a_clone_keeps_the_list_after_the_first_proxy_is_gone(make: type[StrategyList]) -> None:
    todo = make()
    todo.add_text("milk")
    other = todo.clone()
    assert other == todo
    assert todo.counts().strong == 2
    del todo
    assert other.counts().strong == 1
    assert [each.text for each in other.get_items()] == ["milk"]


def test_a_list_of_another_strategy_is_of_the_wrong_type_and_named(
    make: type[StrategyList],
) -> None:
    todo = make()
    others = [each() for each in EVERY if each is not make]
    for other in others:
        with pytest.raises(
            WrongTypeError, match=(f"is a {type(other).__name__}, not a {make.__name__}")
        ):
            todo.merge(other)
    with pytest.raises(WrongTypeError, match=rf"is a {make.__name__}, not a TodoList"):
        call_for_number(lib.ai_todo_list_len, todo.handle)


def test_zero_stale_and_invented_numbers_have_each_their_error(make: type[StrategyList]) -> None:
    todo = make()
    number = todo.handle
    todo.release()
    for wrong, error in (
        (0, ZeroHandleError),
        (number, StaleHandleError),
        (2**63 + 2, UnknownHandleError),
        (number | 1, UnknownHandleError),
    ):
        with pytest.raises(error):
            call_for_number(lib.ai_list_len, make.kind, wrong)


def test_a_second_release_of_one_proxy_takes_nothing_from_the_others(
    make: type[StrategyList],
) -> None:
    todo = make()
    other = todo.clone()
    todo.release()
    with pytest.raises(StaleHandleError):
        todo.release()
    assert other.counts().strong == 1


def test_a_kind_without_sample_lists_is_refused() -> None:
    with pytest.raises(Exception, match="no strategy with sample lists: 1"):
        call_for_number(lib.ai_list_new, Kind.ARC)


def test_a_panic_inside_a_serial_list_poisons_that_list_alone() -> None:
    todo, other = SerialTodoList(), SerialTodoList()
    with pytest.raises(NativePanicError, match="index out of bounds"):
        todo.item_at(5)
    with pytest.raises(PoisonedError, match="panicked inside the object"):
        len(todo)
    assert len(other) == 0


def test_a_panic_inside_a_shared_list_leaves_it_usable() -> None:
    for make in (SharedTodoList, ThinTodoList):
        todo = make()
        with pytest.raises(NativePanicError):
            todo.item_at(5)
        assert len(todo) == 0


def test_all_proxies_of_a_thin_list_have_one_number() -> None:
    todo = ThinTodoList()
    assert {todo.handle, todo.clone().handle} == {todo.handle}
    released = todo.clone()
    released.release()
    with pytest.raises(StaleHandleError, match="by this proxy before"):
        released.clone()
    assert todo.counts().strong == 1


def test_threads_that_fill_one_list_lose_no_item(make: type[StrategyList]) -> None:
    todo = make()
    on_threads(4, lambda: [todo.add_text("milk") for _ in range(100)])
    assert len(todo) == 400


def test_an_ordinary_list_is_none_of_the_strategies() -> None:
    todo = TodoList()
    with pytest.raises(WrongTypeError, match="is a TodoList, not a SharedTodoList"):
        call_for_number(lib.ai_list_len, Kind.ARC_MAP, todo.handle)


def test_a_foreign_object_is_held_until_its_number_is_deleted() -> None:
    things, thing = ForeignObjects("Thing"), Thing()
    gone = weakref.ref(thing)
    number = things.new(thing)
    del thing
    gc.collect()
    assert things.value(number) is gone()
    assert len(things) == 1
    assert things.delete(number) is not None
    assert gone() is None
    with pytest.raises(StaleHandleError):
        things.value(number)
    with pytest.raises(StaleHandleError):
        things.delete(number)


def test_foreign_numbers_are_never_zero_and_never_come_back() -> None:
    things = ForeignObjects("Thing")
    seen = {0}
    for _ in range(3000):
        number = things.new(object())
        assert number not in seen
        seen.add(number)
        things.delete(number)


def test_wrong_foreign_numbers_have_each_their_error() -> None:
    things, others, todo = ForeignObjects("Thing"), ForeignObjects("Other"), TodoList()
    number = things.new("thing")
    for wrong, error in (
        (0, ZeroHandleError),
        (todo.handle, WrongTypeError),
        (number ^ 1, UnknownHandleError),
        (2**64 - 1, UnknownHandleError),
    ):
        with pytest.raises(error):
            things.value(wrong)
    with pytest.raises(WrongTypeError, match="is a Thing, not a Other"):
        others.delete(number)
    with pytest.raises(HandleError, match="of another map of this name"):
        ForeignObjects("Thing").delete(number)
    assert things.must_delete(number) == "thing"


def test_the_must_variants_count_a_wrong_number_as_a_panic() -> None:
    things = ForeignObjects("Thing")
    number = things.new("thing")
    assert things.must_value(number) == "thing"
    assert things.must_delete(number) == "thing"
    for wrong in (things.must_value, things.must_delete):
        with pytest.raises(NativePanicError, match="was released by"):
            wrong(number)


def test_any_thread_looks_up_and_deletes() -> None:
    things = ForeignObjects("Thing")
    numbers = [things.new(position) for position in range(100)]
    got: list[object] = []
    on_threads(1, lambda: got.extend(things.delete(number) for number in numbers))
    assert got == list(range(100))
