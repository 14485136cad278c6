"""The sample types: small, real native objects.

They are in every ownership situation that the inspector shows.

``TodoList`` shares ``TodoItem``s, a ``Journal`` owns a file and closes by its own method, a
``Cursor`` may be closed by its owner thread alone and holds its journal, a ``Listener`` is Python
seen from native code, ``Churn`` runs native threads over all of them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from enum import IntEnum
from os import PathLike, fspath
from typing import Any, Final

from inspector.runtime.foreign import DROP, FOREIGN, callback
from inspector.runtime.handles import Handle, call, call_for_number, call_from_here, create, fail
from inspector.runtime.resources import Resource, close
from inspector.wire import ffi, lib
from inspector.wire.text import take_buffer, text_struct


class TodoItem(Handle):
    """A line of text that lists share."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        """Make an item."""
        native, held = text_struct(text)
        super().__init__(create(lib.ai_todo_item_new, native))
        del held

    @property
    def text(self) -> str:
        """Its text."""
        buffer = ffi.new("AiBuffer *")
        call(lib.ai_todo_item_text, self._handle, buffer)
        return take_buffer(buffer)

    @property
    def is_done(self) -> bool:
        """Whether it is ticked off."""
        answer = ffi.new("int32_t *")
        call(lib.ai_todo_item_is_done, self._handle, answer)
        return bool(answer[0])

    def mark_done(self, *, is_done: bool = True) -> None:
        """Tick it off, or not."""
        call(lib.ai_todo_item_done, self._handle, is_done)


class Notice(IntEnum):
    """The news of a list for its listeners."""

    ITEM_ADDED = lib.AiNotice_ItemAdded


Notify = Callable[[Notice, TodoItem], None]


def _notify(key: int, what: int, number: int) -> None:
    """A list changed; runs on the thread that changed it.

    The handle is ours: the proxy releases it.
    """
    item = TodoItem._lift(number)
    FOREIGN.get(key)(Notice(what), item)


_NOTIFY: Final = callback("ai_python_notify", _notify)


class Listener(Handle):
    """A Python function that native lists hold and call.

    It is released when the last of them and this proxy have ended.
    """

    __slots__ = ()

    def __init__(self, notify: Notify) -> None:
        """Hand the function to native code; it is called on the thread that changes the list."""
        key = FOREIGN.insert(notify)
        try:
            number = create(lib.ai_listener_new, _NOTIFY, DROP, key)
        except BaseException:
            FOREIGN.drop(key)
            raise
        super().__init__(number)


class TodoList(Handle):
    """A list of shared items."""

    __slots__ = ()

    def __init__(self) -> None:
        """Make an empty list."""
        self._handle = lib.ai_todo_list_make() or create(lib.ai_todo_list_new)
        self._object = 0
        self._is_owned = True

    def add_item(self, item: TodoItem) -> None:
        """Share an item: the list holds a reference of its own."""
        call_from_here(lib.ai_todo_list_add_item, self._handle, item.handle)

    def add_text(self, text: str) -> TodoItem:
        """Make an item in the list; the result is a handle on it."""
        native, held = text_struct(text)
        number = create(lib.ai_todo_list_add_text, self._handle, native)
        del held
        return TodoItem._lift(number)

    def get_items(self) -> list[TodoItem]:
        """The items, each with a handle of its own.

        An item that is in the list twice is two handles on one object.
        """
        capacity = len(self)
        items, count = ffi.new("uint64_t[]", capacity), ffi.new("size_t *")
        call(lib.ai_todo_list_get_items, self._handle, items, capacity, count)
        # A list that grew meanwhile has more items than fit: the rest have no handles, so nothing
        # is lost by leaving them out.
        return [TodoItem._lift(items[position]) for position in range(min(count[0], capacity))]

    def merge(self, other: TodoList) -> None:
        """Share all items of another list, which may be the same list."""
        call_from_here(lib.ai_todo_list_merge, self._handle, other._handle)

    def last(self) -> TodoItem:
        """The newest item. Asked for twice it is one object with two handles."""
        return TodoItem._lift(create(lib.ai_todo_list_last, self._handle))

    def listen(self, listener: Listener) -> None:
        """Inform a listener of every item that is added from now on; the list holds it."""
        call_from_here(lib.ai_todo_list_listen, self._handle, listener.handle)

    def __len__(self, _length: Callable[[int], int] = lib.ai_todo_list_count) -> int:
        """Number of items."""
        length = _length(self._handle)
        if length < 0:
            fail(-length)
        return length


class Journal(Handle, Resource, closes_by="close", closes_with={"flush": True}):
    """A file that lines are appended to."""

    __slots__ = ()

    def __init__(self, path: str | PathLike[str]) -> None:
        """Open or create a file for appending."""
        native, held = text_struct(fspath(path))
        super().__init__(create(lib.ai_journal_open, native))
        del held

    def append(self, line: str) -> None:
        """Append a line."""
        native, held = text_struct(line)
        call(lib.ai_journal_append, self._handle, native)
        del held

    def append_slowly(self, line: str, *, millis: int) -> None:
        """Append a line and take that long: a call in flight, for which a close waits."""
        native, held = text_struct(line)
        call(lib.ai_journal_append_slowly, self._handle, native, millis)
        del held

    @property
    def lines(self) -> int:
        """Lines appended since it was opened."""
        return call_for_number(lib.ai_journal_lines, self._handle)

    def close(self, *, flush: bool = True, deadline_secs: float | None = None) -> bool:
        """Close the file.

        ``False`` when calls are in flight, the last of which will close it unless ``deadline_secs``
        have passed.
        """
        return close(lib.ai_journal_close, self._handle, flush, deadline_secs=deadline_secs)


class Cursor(Handle, Resource, closes_by="close"):
    """Reads the lines of a journal, which it holds. Only the thread that opened it may close it."""

    __slots__ = ()

    def __init__(self, journal: Journal) -> None:
        """Start at the first line."""
        super().__init__(create(lib.ai_cursor_open, journal.handle))

    def __iter__(self) -> Iterator[str]:
        """The lines that are left."""
        return self

    def __next__(self) -> str:
        """Next line."""
        buffer, more = ffi.new("AiBuffer *"), ffi.new("int32_t *")
        call(lib.ai_cursor_next, self._handle, buffer, more)
        line = take_buffer(buffer)
        if not more[0]:
            raise StopIteration
        return line

    def close(self, *, deadline_secs: float | None = None) -> bool:
        """Close it.

        ``False`` on another thread than the owner's, which closes it at its next safe point.

        An owner that ends without a safe point runs the closes that wait for it; after its end any
        thread that asks closes.
        """
        return close(lib.ai_cursor_close, self._handle, deadline_secs=deadline_secs)


class Churn:
    """Native worker threads that create, share, call and release sample objects.

    They run until ``stop``, until the object's end, or until the program's end.
    """

    __slots__ = ("__weakref__", "_stop")

    def __init__(self, *, threads: int, per_second: int) -> None:
        """Start that many threads, each with so many rounds a second."""
        number = create(lib.ai_churn_start, threads, per_second)
        # At exit as well: native threads must not outlive the interpreter that their listeners run
        # in.
        self._stop = weakref.finalize(self, _stop_churn, number)

    def stop(self) -> None:
        """Stop and join the threads; everything they made is released.

        A second stop does nothing.
        """
        self._stop()


def _stop_churn(number: int, _stop: Callable[[int, Any], int] = lib.ai_churn_stop) -> None:
    """Stop a churn by its number."""
    call(_stop, number)


def release_elsewhere(*handles: Handle, pause_millis: int = 0, at_thread_end: bool = False) -> None:
    """Give references away to a native thread.

    It releases them after a while, or as its own last act.

    Their references move there too: a Python function whose last holder is a released ``Listener``
    is released on that thread.
    """
    numbers = ffi.new("uint64_t[]", [handle.handle for handle in handles])
    call(lib.ai_release_elsewhere, numbers, len(handles), pause_millis, at_thread_end)
    for handle in handles:
        handle._is_owned = False
