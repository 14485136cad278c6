"""The sample types: arguments, return values, fields, callbacks, native threads."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

from inspector.errors import InspectorError, StaleHandleError
from inspector.runtime import Churn, Cursor, Journal, Label, Listener, Notice, TodoItem, TodoList
from inspector.runtime.handles import call
from inspector.wire import lib


def test_an_item_keeps_its_text_whatever_the_alphabet() -> None:
    for text in ("", "milk", "Käse 🧀", "a" * 100_000, "nul \0 inside"):
        assert TodoItem(text).text == text


def test_a_list_shares_the_items_that_it_is_given() -> None:
    todo, item = TodoList(), TodoItem("milk")
    todo.add_item(item)
    assert item.counts().strong == 2
    assert len(todo) == 1
    assert todo.get_items() == [item]


def test_an_object_returned_twice_is_one_object_with_two_handles() -> None:
    todo = TodoList()
    first = todo.add_text("milk")
    again, once_more = todo.last(), todo.last()
    assert first == again == once_more
    assert len({first.handle, again.handle, once_more.handle}) == 3
    assert first.counts().strong == 4  # three handles and the list


def test_a_field_keeps_the_object_after_its_handles_are_gone() -> None:
    todo = TodoList()
    todo.add_text("milk")
    gc.collect()
    assert [item.text for item in todo.get_items()] == ["milk"]


def test_a_list_merges_another_and_itself_too() -> None:
    todo, other = TodoList(), TodoList()
    todo.add_text("milk")
    other.add_text("bread")
    todo.merge(other)
    assert [item.text for item in todo.get_items()] == ["milk", "bread"]
    todo.merge(todo)
    assert [item.text for item in todo.get_items()] == ["milk", "bread", "milk", "bread"]


def test_an_item_is_ticked_off() -> None:
    item = TodoItem("milk")
    assert not item.is_done
    item.mark_done()
    assert item.is_done
    item.mark_done(is_done=False)
    assert not item.is_done


def test_a_label_is_given_up_once_however_often_it_is_dropped() -> None:
    item = TodoItem("milk")
    with Label(item, "cache") as label:
        label.drop()
        label.drop()
    label.drop()
    del label
    with pytest.raises(InspectorError, match="no such label"):
        call(lib.ai_label_drop, 2**40)


def test_a_listener_hears_of_each_change_with_a_handle_of_its_own() -> None:
    heard: list[tuple[Notice, str, str]] = []

    def hear(notice: Notice, item: TodoItem) -> None:
        heard.append((notice, item.text, threading.current_thread().name))

    todo = TodoList()
    todo.listen(Listener(hear))
    todo.add_text("milk")
    thread = threading.Thread(target=todo.add_text, args=("bread",), name="elsewhere")
    thread.start()
    thread.join()
    assert heard == [
        (Notice.ITEM_ADDED, "milk", "MainThread"),
        (Notice.ITEM_ADDED, "bread", "elsewhere"),
    ]


def test_a_listener_lives_as_long_as_a_list_holds_it() -> None:
    class Ear:
        def __call__(self, notice: Notice, item: TodoItem) -> None:
            pass

    ear = Ear()
    gone = weakref.ref(ear)
    todo, listener = TodoList(), Listener(ear)
    todo.listen(listener)
    del ear, listener
    gc.collect()
    assert gone() is not None
    del todo
    gc.collect()
    assert gone() is None


def test_what_a_listener_raises_is_reported_and_the_change_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", reported.append)

    def fail(notice: Notice, item: TodoItem) -> None:
        raise ValueError("not today")

    todo = TodoList()
    todo.listen(Listener(fail))
    todo.add_text("milk")
    assert len(todo) == 1
    assert [str(details.exc_value) for details in reported] == ["not today"]
    reported.clear()


def test_a_journal_counts_and_writes_its_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.txt")
    journal.append("first")
    journal.append("second")
    assert journal.lines == 2
    assert journal.close() is True
    assert (tmp_path / "journal.txt").read_text().splitlines() == ["first", "second"]


def test_a_cursor_reads_the_lines_of_the_journal_that_it_holds(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.txt")
    journal.append("first")
    journal.append("second")
    with Cursor(journal) as cursor:
        assert journal.counts().strong == 2
        assert list(cursor) == ["first", "second"]
    journal.close()


def test_churning_native_threads_give_everything_back_when_they_are_stopped() -> None:
    before = lib.ai_live_handles()
    churn = Churn(threads=2, per_second=2000)
    churn.stop()
    churn.stop()
    assert lib.ai_live_handles() == before


def test_a_churn_that_is_forgotten_stops() -> None:
    before = lib.ai_live_handles()
    Churn(threads=1, per_second=100)
    gc.collect()
    assert lib.ai_live_handles() == before


def test_a_released_item_cannot_be_added() -> None:
    todo, item = TodoList(), TodoItem("milk")
    item.release()
    with pytest.raises(StaleHandleError, match="TodoItem"):
        todo.add_item(item)
    assert len(todo) == 0
