"""Proxies own one reference each, release it once, and name the fault of every wrong use."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from collections.abc import Callable

import pytest

from inspector.agent.thread_names import ThreadNames
from inspector.errors import (
    HandleError,
    StaleHandleError,
    UnknownHandleError,
    WrongTypeError,
    ZeroHandleError,
)
from inspector.runtime import Handle, Journal, TodoItem, TodoList
from inspector.runtime.handles import call, call_for_number
from inspector.wire import lib


def on_a_thread(work: Callable[[], object]) -> list[BaseException]:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="elsewhere")
    thread.start()
    thread.join()
    return failures


def test_a_proxy_releases_its_reference_when_it_goes() -> None:
    before = lib.ai_live_handles()
    item = TodoItem("milk")
    assert lib.ai_live_handles() == before + 1
    del item
    assert lib.ai_live_handles() == before


def test_a_clone_is_another_handle_on_the_same_object() -> None:
    item = TodoItem("milk")
    other = item.clone()
    assert other.handle != item.handle
    assert other == item
    assert hash(other) == hash(item)
    assert item.counts().strong == 2
    other.release()
    assert item.counts().strong == 1


def test_a_copy_owns_a_reference_of_its_own() -> None:
    item = TodoItem("milk")
    other = copy.copy(item)
    assert item.counts().strong == 2
    del item
    assert other.text == "milk"


def test_a_handle_cannot_be_pickled_or_copied_deeply() -> None:
    item = TodoItem("milk")
    with pytest.raises(TypeError, match="TodoItem names a native object of this process"):
        pickle.dumps(item)
    with pytest.raises(TypeError, match="TodoItem"):
        copy.deepcopy(item)


def test_two_objects_are_not_equal_and_other_things_are_never_equal() -> None:
    item, other = TodoItem("milk"), TodoItem("milk")
    assert item != other
    assert item != "milk"
    assert item == item


def test_releasing_twice_is_a_stale_handle_that_says_who_released_it() -> None:
    item = TodoItem("milk")
    item.release()
    with pytest.raises(StaleHandleError, match=r"#\d+\.\d+ \(TodoItem\) was released"):
        item.release()


def test_using_a_released_handle_is_refused_and_the_proxy_can_still_be_shown_and_compared() -> None:
    item, other = TodoItem("milk"), TodoItem("bread")
    item.release()
    with pytest.raises(StaleHandleError):
        _ = item.text
    assert repr(item).startswith("<TodoItem #")
    assert repr(item).endswith(", released>")
    assert item != other
    assert item == item


def test_the_hash_outlives_the_release_when_it_was_asked_for_before() -> None:
    item = TodoItem("milk")
    held = {item}
    item.release()
    assert item in held


def test_handle_zero_is_an_error_of_its_own() -> None:
    with pytest.raises(ZeroHandleError):
        call(lib.ai_handle_release, 0)


@pytest.mark.parametrize(
    "number", [2, 1 << 32, (77 << 32) | (500_000 << 1), (1 << 64) - 2, 0xDEAD_BEEF]
)
def test_a_number_that_was_never_a_handle_is_refused(number: int) -> None:
    with pytest.raises(HandleError) as caught:
        call_for_number(lib.ai_todo_list_len, number)
    assert isinstance(caught.value, UnknownHandleError | StaleHandleError | WrongTypeError)


def test_a_handle_of_another_type_is_refused_by_name() -> None:
    item = TodoItem("milk")
    with pytest.raises(WrongTypeError, match="TodoItem"):
        call_for_number(lib.ai_todo_list_len, item.handle)


def test_the_quick_call_raises_the_same_error_as_the_others() -> None:
    todo = TodoList()
    todo.release()
    with pytest.raises(StaleHandleError, match="TodoList"):
        len(todo)


@pytest.mark.usefixtures("counting")
def test_any_thread_may_release_and_the_tombstone_names_it() -> None:
    item, names = TodoItem("milk"), ThreadNames()
    names.attach()
    assert on_a_thread(item.release) == []
    names.detach()
    with pytest.raises(StaleHandleError, match='thread "elsewhere"'):
        item.release()


def test_of_several_threads_that_release_at_once_exactly_one_succeeds() -> None:
    for _ in range(50):
        item = TodoItem("milk")
        barrier = threading.Barrier(4)
        outcomes: list[str] = []

        def release(
            item: TodoItem = item,
            barrier: threading.Barrier = barrier,
            outcomes: list[str] = outcomes,
        ) -> None:
            barrier.wait()
            try:
                item.release()
            except StaleHandleError:
                outcomes.append("stale")
            else:
                outcomes.append("released")

        threads = [threading.Thread(target=release) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["released", "stale", "stale", "stale"]


def test_a_proxy_in_a_cycle_is_released_by_the_garbage_collector() -> None:
    before = lib.ai_live_handles()
    knot: list[object] = [TodoList()]
    knot.append(knot)
    del knot
    assert lib.ai_live_handles() == before + 1
    gc.collect()
    assert lib.ai_live_handles() == before


def test_a_constructor_that_fails_leaves_a_proxy_that_releases_nothing() -> None:
    before = lib.ai_live_handles()
    with pytest.raises(Exception, match="No such file"):
        Journal("/nowhere/at/all.txt")
    gc.collect()
    assert lib.ai_live_handles() == before


def test_every_sample_type_is_a_handle_without_a_dict() -> None:
    for made in (TodoItem("milk"), TodoList()):
        assert isinstance(made, Handle)
        assert not hasattr(made, "__dict__")
