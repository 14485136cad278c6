"""The other ways to own an object: the sample list and the sample journal over each of them.

``SerialTodoList`` lets one call at a time inside, ``SharedTodoList`` any number, ``ThinTodoList``
keeps its count in its own row. All release, count and clone as every ``Handle`` does, and the
journals close as every ``Resource`` does; a handle of one strategy is of the wrong type in another.
"""

from __future__ import annotations

from os import PathLike, fspath
from typing import ClassVar, Self

from inspector.errors import StaleHandleError
from inspector.runtime.handles import Handle, call, call_for_number, create
from inspector.runtime.resources import Resource, close
from inspector.runtime.samples import TodoItem
from inspector.vocabulary import Kind, handle_text
from inspector.wire import ffi, lib
from inspector.wire.text import text_struct


class _StrategyList(Handle):
    """A list of shared items, owned as its class says."""

    __slots__ = ()

    kind: ClassVar[int]
    """``Kind`` of its handles: how the native side owns the object."""

    def __init__(self) -> None:
        """Make an empty list."""
        super().__init__(create(lib.ai_list_new, self.kind))

    def add_item(self, item: TodoItem) -> None:
        """Share an item: the list holds a reference of its own."""
        call(lib.ai_list_add_item, self.kind, self._handle, item.handle)

    def add_text(self, text: str) -> TodoItem:
        """Make an item in the list; the result is a handle on it."""
        native, held = text_struct(text)
        number = create(lib.ai_list_add_text, self.kind, self._handle, native)
        del held
        return TodoItem._lift(number)

    def get_items(self) -> list[TodoItem]:
        """The items, each with a handle of its own.

        An item that is in the list twice is two handles on one object.
        """
        capacity = len(self)
        items, count = ffi.new("uint64_t[]", capacity), ffi.new("size_t *")
        call(lib.ai_list_get_items, self.kind, self._handle, items, capacity, count)
        # A list that grew meanwhile has more items than fit: the rest have no handles, so nothing
        # is lost by leaving them out.
        return [TodoItem._lift(items[position]) for position in range(min(count[0], capacity))]

    def merge(self, other: _StrategyList) -> None:
        """Share all items of a list of this strategy, which may be the same list.

        ``WrongTypeError`` for any other.
        """
        call(lib.ai_list_merge, self.kind, self._handle, other._handle)

    def item_at(self, position: int) -> TodoItem:
        """The item at a position that is known to be there.

        Otherwise the native code panics, and you get a ``NativePanicError``.
        """
        return TodoItem._lift(create(lib.ai_list_item_at, self.kind, self._handle, position))

    def __len__(self) -> int:
        """Number of items."""
        return call_for_number(lib.ai_list_len, self.kind, self._handle)


class SerialTodoList(_StrategyList):
    """A list in a handle map with a mutex per object: calls wait for each other.

    A panic inside poisons that list alone: each later call on it is a ``PoisonedError``.
    """

    __slots__ = ()

    kind = Kind.MUTEX_MAP


class SharedTodoList(_StrategyList):
    """A list in a handle map of shared objects, which guard themselves."""

    __slots__ = ()

    kind = Kind.ARC_MAP


class ThinHandle(Handle):
    """A proxy that shares its number.

    Only the proxy knows whether its own reference was released.
    """

    __slots__ = ()

    def clone(self) -> Self:
        """Another reference to the same object, under the same number."""
        self._check_owned()
        return super().clone()

    def release(self) -> None:
        """Release this proxy's reference now.

        The number is the same for all proxies, so a second release is refused here.
        """
        self._check_owned()
        super().release()

    def _check_owned(self) -> None:
        """Raise when this proxy's own reference was released."""
        if not self._is_owned:
            raise StaleHandleError(
                f"{handle_text(self._handle)} ({type(self).__name__}) was "
                "released by this proxy before"
            )


class ThinTodoList(ThinHandle, _StrategyList):
    """A list whose count is in its row of the table, where the inspector reads it.

    It has no weak count.

    All proxies of one list have the same number.
    """

    __slots__ = ()

    kind = Kind.THIN


class _StrategyJournal(Handle, Resource, closes_by="close", closes_with={"flush": True}):
    """A file that lines are appended to, owned as its class says."""

    __slots__ = ()

    kind: ClassVar[int]
    """``Kind`` of its handles: how the native side owns the object."""

    def __init__(self, path: str | PathLike[str]) -> None:
        """Open or create a file for appending."""
        native, held = text_struct(fspath(path))
        super().__init__(create(lib.ai_owned_journal_open, self.kind, native))
        del held

    def append(self, line: str, *, millis: int = 0) -> None:
        """Append a line after that long, during which the call is in flight.

        A close waits for it.
        """
        native, held = text_struct(line)
        call(lib.ai_owned_journal_append, self.kind, self._handle, native, millis)
        del held

    @property
    def lines(self) -> int:
        """Lines appended since it was opened."""
        return call_for_number(lib.ai_owned_journal_lines, self.kind, self._handle)

    def close(self, *, flush: bool = True, deadline_secs: float | None = None) -> bool:
        """Close the file.

        ``False`` when calls are in flight, the last of which will close it unless ``deadline_secs``
        have passed.
        """
        return close(
            lib.ai_owned_journal_close, self.kind, self._handle, flush, deadline_secs=deadline_secs
        )


class SerialJournal(_StrategyJournal):
    """A journal in a handle map with a mutex per object.

    Its calls wait for each other, and its close waits for native code that is inside.
    """

    __slots__ = ()

    kind = Kind.MUTEX_MAP


class SharedJournal(_StrategyJournal):
    """A journal in a handle map of shared objects."""

    __slots__ = ()

    kind = Kind.ARC_MAP


class ThinJournal(ThinHandle, _StrategyJournal):
    """A journal whose count is in its row of the table.

    All proxies of one journal have the same number.
    """

    __slots__ = ()

    kind = Kind.THIN
