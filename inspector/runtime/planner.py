"""A sample record with objects in every possible place.

A native object takes and returns it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial

from inspector.errors import InspectorError
from inspector.runtime.compounds import Lifting, Lowering
from inspector.runtime.handles import Handle, call_from_here, create
from inspector.runtime.samples import TodoItem, TodoList
from inspector.wire import lib


class _Variant(IntEnum):
    """The numbers of the enum's variants in a buffer."""

    NOTHING = 1
    ITEM = 2
    LIST = 3


@dataclass(frozen=True, slots=True)
class ItemFocus:
    """A variant of the enum: an item."""

    item: TodoItem


@dataclass(frozen=True, slots=True)
class ListFocus:
    """A variant of the enum: a list, with a note."""

    items: TodoList
    note: str


Focus = ItemFocus | ListFocus | None
"""An enum, whose variants have objects or, with ``None``, none."""


@dataclass(frozen=True, slots=True)
class Board:
    """A record: a field, an enum, a map, an optional object, and sequences in a sequence."""

    title: str
    backlog: TodoList
    focus: Focus = None
    by_name: Mapping[str, TodoItem] = field(default_factory=dict)
    pinned: TodoItem | None = None
    columns: Sequence[Sequence[TodoItem]] = field(default_factory=list)

    def write(self, to: Lowering) -> None:
        """Lower it: each object is counted up once for each place that it has."""
        to.text(self.title)
        to.object(self.backlog)
        _write_focus(to, self.focus)
        to.mapping(self.by_name, to.object)
        to.optional(self.pinned, to.object)
        to.sequence(self.columns, lambda column: to.sequence(column, to.object))

    @classmethod
    def read(cls, back: Lifting) -> Board:
        """Lift a board: each object has a new proxy for each place."""
        item = partial(back.object, TodoItem)
        return cls(
            title=back.text(),
            backlog=back.object(TodoList),
            focus=_read_focus(back),
            by_name=back.mapping(item),
            pinned=back.optional(item),
            columns=back.sequence(lambda: back.sequence(item)),
        )


def _write_focus(to: Lowering, focus: Focus) -> None:
    match focus:
        case None:
            to.number(_Variant.NOTHING)
        case ItemFocus(item):
            to.number(_Variant.ITEM)
            to.object(item)
        case ListFocus(items, note):
            to.number(_Variant.LIST)
            to.object(items)
            to.text(note)


def _read_focus(back: Lifting) -> Focus:
    match back.number():
        case _Variant.NOTHING:
            return None
        case _Variant.ITEM:
            return ItemFocus(back.object(TodoItem))
        case _Variant.LIST:
            return ListFocus(back.object(TodoList), back.text())
        case variant:
            raise InspectorError(f"a focus has no variant {variant}")


class Planner(Handle):
    """Keeps a board: native references on its objects."""

    __slots__ = ()

    def __init__(self) -> None:
        """Without a board."""
        super().__init__(create(lib.ai_planner_new))

    def exchange(self, board: Board | None) -> Board | None:
        """Keep a board, or none; returns the earlier board."""
        with Lowering() as to, Lifting() as back:
            to.optional(board, lambda board: board.write(to))
            call_from_here(lib.ai_planner_exchange, self._handle, *to.arguments, back.out)
            return back.optional(partial(Board.read, back))

    def board(self) -> Board | None:
        """A board with the same objects as the kept board."""
        with Lifting() as back:
            call_from_here(lib.ai_planner_board, self._handle, back.out)
            return back.optional(partial(Board.read, back))
