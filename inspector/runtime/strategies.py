"""The other ways to own an object: the sample list over each of them, and Python objects under numbers that native code may hold.

``SerialTodoList`` lets one call at a time inside, ``SharedTodoList`` any number, ``ThinTodoList`` keeps its count in its own row. All
release, count and clone as every ``Handle`` does; a handle of one strategy is of the wrong type in another.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from inspector.errors import StaleHandleError
from inspector.runtime.handles import Handle, call, call_for_number, create
from inspector.runtime.samples import TodoItem
from inspector.wire import ffi, lib
from inspector.wire.schema import Kind, handle_text
from inspector.wire.status import check, new_error
from inspector.wire.text import text_struct


class _StrategyList(Handle):
    """A list of shared items, owned as its class says."""

    __slots__ = ()

    _kind: ClassVar[int]

    def __init__(self) -> None:
        """Make an empty list."""
        super().__init__(create(lib.ai_list_new, self._kind))

    def add_item(self, item: TodoItem) -> None:
        """Share an item: the list holds a reference of its own."""
        call(lib.ai_list_add_item, self._kind, self._handle, item.handle)

    def add_text(self, text: str) -> TodoItem:
        """Make an item in the list; the result is a handle on it."""
        native, held = text_struct(text)
        number = create(lib.ai_list_add_text, self._kind, self._handle, native)
        del held
        return TodoItem._lift(number)

    def get_items(self) -> list[TodoItem]:
        """The items, each with a handle of its own: an item that is in the list twice is two handles on one object."""
        capacity = len(self)
        items, count = ffi.new("uint64_t[]", capacity), ffi.new("size_t *")
        call(lib.ai_list_get_items, self._kind, self._handle, items, capacity, count)
        # A list that grew meanwhile has more than fits: those have no handles, so nothing is lost by leaving them out.
        return [TodoItem._lift(items[position]) for position in range(min(count[0], capacity))]

    def merge(self, other: _StrategyList) -> None:
        """Share all items of another list of this strategy, which may be this one; ``WrongTypeError`` for one of another."""
        call(lib.ai_list_merge, self._kind, self._handle, other._handle)

    def item_at(self, position: int) -> TodoItem:
        """The item at a position that is known to be there; otherwise the native code panics, and you get a ``NativePanicError``."""
        return TodoItem._lift(create(lib.ai_list_item_at, self._kind, self._handle, position))

    def __len__(self) -> int:
        """Number of items."""
        return call_for_number(lib.ai_list_len, self._kind, self._handle)


class SerialTodoList(_StrategyList):
    """A list in a handle map with a mutex per object: calls wait for each other.

    A panic inside poisons that list alone: each later call on it is a ``PoisonedError``.
    """

    __slots__ = ()

    _kind = Kind.MUTEX_MAP


class SharedTodoList(_StrategyList):
    """A list in a handle map of shared objects, which guard themselves."""

    __slots__ = ()

    _kind = Kind.ARC_MAP


class ThinTodoList(_StrategyList):
    """A list whose count stands in its row of the table, where the inspector reads it as it is. It has no weak count.

    All proxies of one list have the same number.
    """

    __slots__ = ()

    _kind = Kind.THIN

    def clone(self) -> Self:
        """Another reference to the same list, under the same number."""
        self._check_owned()
        return super().clone()

    def release(self) -> None:
        """Release this proxy's reference now. The number cannot tell one proxy from another, so a second release is refused here."""
        self._check_owned()
        super().release()

    def _check_owned(self) -> None:
        """Raise when this proxy's own reference is gone."""
        if not self._is_owned:
            raise StaleHandleError(f"{handle_text(self._handle)} ({type(self).__name__}) was released by this proxy before")


class ForeignObjects:
    """Python objects under numbers, in the manner of ``cgo.Handle``: what native code may keep in place of the object.

    A number is never used again, 0 is never one, and any thread may look up and delete. Each is a row that the inspector shows.
    Two instances of one name are one type there, and still apart here.
    """

    __slots__ = ("_objects", "_type")

    def __init__(self, name: str, origin: str = "python") -> None:
        """An empty map whose rows bear this name."""
        self._objects: dict[int, object] = {}
        self._type = _foreign_type(name, origin)

    def new(self, thing: object) -> int:
        """A number for an object, which is held until its deletion. 0 cannot be told from *none*, so it never is one."""
        number = create(lib.ai_foreign_new, self._type, id(thing))
        self._objects[number] = thing
        return number

    def value(self, number: int) -> Any:
        """The object; a ``HandleError`` says what is wrong with the number."""
        call_for_number(lib.ai_foreign_value, self._type, number)
        return self._held(number)

    def delete(self, number: int) -> Any:
        """End a number and get its object back; of several that delete the same one does, the others get a ``StaleHandleError``."""
        self.value(number)
        call_for_number(lib.ai_foreign_delete, self._type, number)
        return self._objects.pop(number)

    def must_value(self, number: int) -> Any:
        """As ``value``, where a wrong number is a bug of the native side: it counts as a panic and raises ``NativePanicError``."""
        call_for_number(lib.ai_foreign_must_value, self._type, number)
        return self._held(number)

    def must_delete(self, number: int) -> Any:
        """As ``delete``, where a wrong number is a bug of the native side: it counts as a panic and raises ``NativePanicError``."""
        self.must_value(number)
        call_for_number(lib.ai_foreign_must_delete, self._type, number)
        return self._objects.pop(number)

    def __len__(self) -> int:
        """Objects held now."""
        return len(self._objects)

    def _held(self, number: int) -> Any:
        """The object of a number that was valid a moment ago."""
        try:
            return self._objects[number]
        except KeyError:
            raise StaleHandleError(f"{handle_text(number)} is not held here: deleted meanwhile, or of another map of this name") from None


def _foreign_type(name: str, origin: str) -> int:
    """The type of rows of that name and origin."""
    index, error = ffi.new("uint16_t *"), new_error()
    (name_text, held_name), (origin_text, held_origin) = text_struct(name), text_struct(origin)
    spec = ffi.new("AiTypeSpec *", {"name": name_text, "origin": origin_text, "kind": int(Kind.FOREIGN)})
    status = lib.ai_type(spec, index, error)
    del held_name, held_origin
    check(status, error)
    return int(index[0])
