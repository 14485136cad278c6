"""Objects in fields of records, enums, maps, sequences and optional values.

One reference each, also when something fails half-way.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import (
    InspectorError,
    StaleHandleError,
    UnknownHandleError,
    WrongTypeError,
    ZeroHandleError,
)
from inspector.runtime import Board, ItemFocus, ListFocus, Planner, TodoItem, TodoList
from inspector.runtime.compounds import Lifting, Lowering
from inspector.runtime.handles import call, create
from inspector.runtime.planner import Focus
from inspector.wire import lib


@pytest.fixture
def planner() -> Iterator[Planner]:
    planner = Planner()
    yield planner
    planner.release()


@pytest.fixture
def milk() -> Iterator[TodoItem]:
    milk = TodoItem("milk")
    yield milk
    milk.release()


@pytest.fixture
def groceries() -> Iterator[TodoList]:
    groceries = TodoList()
    yield groceries
    groceries.release()


def full_board(groceries: TodoList, milk: TodoItem) -> Board:
    """Seven times the item, twice the list."""
    focus, by_name = ListFocus(groceries, "read it"), {"a": milk, "b": milk}
    return Board(
        "week", groceries, focus, by_name, pinned=milk, columns=[[milk, milk], [], [milk, milk]]
    )


def strong(*proxies: TodoItem | TodoList) -> list[int]:
    return [proxy.counts().strong for proxy in proxies]


def test_a_record_goes_to_native_code_and_comes_back_with_the_same_objects(
    planner: Planner, groceries: TodoList, milk: TodoItem
) -> None:
    assert planner.exchange(full_board(groceries, milk)) is None
    assert strong(milk, groceries) == [8, 3]
    back = planner.exchange(None)
    assert back == full_board(groceries, milk)
    assert strong(milk, groceries) == [8, 3], "each reference moved from the planner to a proxy"
    assert back is not None
    assert back.by_name["a"].handle != back.by_name["b"].handle
    del back
    assert strong(milk, groceries) == [1, 1]


def test_each_variant_and_what_is_empty_come_back(
    planner: Planner, groceries: TodoList, milk: TodoItem
) -> None:
    for board in (
        Board("", groceries),
        Board("é\N{HONEYBEE}", groceries, ItemFocus(milk)),
        full_board(groceries, milk),
    ):
        planner.exchange(board)
        assert planner.board() == board
    assert planner.board() == planner.exchange(None)
    assert planner.board() is None


def test_a_record_that_is_fetched_counts_its_objects_up_and_its_end_down(
    planner: Planner, groceries: TodoList, milk: TodoItem
) -> None:
    planner.exchange(full_board(groceries, milk))
    copies = [planner.board(), planner.board()]
    assert strong(milk, groceries) == [22, 7]
    copies.clear()
    assert strong(milk, groceries) == [8, 3]


def test_an_object_lives_by_the_record_alone(planner: Planner) -> None:
    planner.exchange(Board("", TodoList(), columns=[[TodoItem("only here")]]))
    gc.collect()
    board = planner.board()
    assert board is not None
    assert board.columns[0][0].text == "only here"


def test_a_stale_handle_in_the_middle_of_a_sequence_gives_up_what_was_lowered(
    planner: Planner, groceries: TodoList, milk: TodoItem
) -> None:
    stale = TodoItem("gone")
    stale.release()
    with pytest.raises(StaleHandleError, match="TodoItem"):
        planner.exchange(Board("", groceries, ItemFocus(milk), columns=[[milk, stale, milk]]))
    assert strong(milk, groceries) == [1, 1]


class Failing(Mapping[str, TodoItem]):
    """A map whose second value raises."""

    def __init__(self, item: TodoItem) -> None:
        self._item = item

    def __len__(self) -> int:
        return 3

    def __iter__(self) -> Iterator[str]:
        return iter("abc")

    def __getitem__(self, name: str) -> TodoItem:
        if name == "b":
            raise ValueError("mine")
        return self._item


def test_an_exception_while_the_third_field_is_lowered_gives_up_what_was_lowered(
    planner: Planner, groceries: TodoList, milk: TodoItem
) -> None:
    with pytest.raises(ValueError, match="mine"):
        planner.exchange(Board("", groceries, ItemFocus(milk), Failing(milk)))
    assert strong(milk, groceries) == [1, 1]
    assert planner.board() is None


def test_an_object_of_another_type_is_refused_by_name(
    planner: Planner, groceries: TodoList, milk: TodoItem
) -> None:
    with pytest.raises(WrongTypeError, match="of a TodoList, not a TodoItem"):
        planner.exchange(Board("", groceries, pinned=groceries, columns=[[milk]]))  # type: ignore[arg-type]
    assert strong(milk, groceries) == [1, 1]


def test_a_refused_call_gives_up_all_that_was_lowered_for_it(
    groceries: TodoList, milk: TodoItem
) -> None:
    planner = Planner()
    planner.release()
    with pytest.raises(StaleHandleError, match="Planner"):
        planner.exchange(full_board(groceries, milk))
    assert strong(milk, groceries) == [1, 1]


def test_a_buffer_cut_short_is_refused_by_either_side_and_leaves_nothing(
    planner: Planner, groceries: TodoList, milk: TodoItem
) -> None:
    with Lowering() as whole:
        whole.optional(full_board(groceries, milk), lambda board: board.write(whole))
        length = whole.arguments[1]
    for cut in range(0, length, 5):
        with Lowering() as to, Lifting() as back:
            to.optional(full_board(groceries, milk), lambda board: board.write(to))
            data, _, buffer = to.arguments
            with pytest.raises(InspectorError, match="too early"):
                call(lib.ai_planner_exchange, planner.handle, data, cut, buffer, back.out)
        assert strong(milk, groceries) == [1, 1]
    planner.exchange(full_board(groceries, milk))
    for cut in range(0, length, 5):
        with Lifting() as back:
            call(lib.ai_planner_board, planner.handle, back.out)
            back.out.bytes.length = cut
            with pytest.raises(InspectorError, match="too early"):
                back.optional(lambda: Board.read(back))
        assert strong(milk, groceries) == [8, 3]


def test_a_failure_while_a_record_is_lifted_gives_up_what_no_proxy_owns(
    planner: Planner, groceries: TodoList, milk: TodoItem
) -> None:
    planner.exchange(full_board(groceries, milk))
    with Lifting() as back:
        call(lib.ai_planner_board, planner.handle, back.out)
        assert strong(milk, groceries) == [15, 5]
        with pytest.raises(ValueError, match="mine"):
            back.optional(lambda: (back.text(), back.object(TodoList), Failing(milk)["b"]))
        assert strong(milk, groceries) == [15, 4], "the proxy is gone, the rest is in flight"
    assert strong(milk, groceries) == [8, 3]


def test_a_reference_arrives_once(milk: TodoItem) -> None:
    with Lowering() as to:
        to.object(milk)
        data, _, buffer = to.arguments
        number = int.from_bytes(bytes(data))
        lifted = TodoItem._lift(create(lib.ai_buffer_lift, buffer, number))
        assert (lifted == milk, strong(milk)) == (True, [2])
        for wrong, kind in (
            (number, StaleHandleError),
            (0, ZeroHandleError),
            (1 << 60, UnknownHandleError),
        ):
            with pytest.raises(kind, match="in flight"):
                create(lib.ai_buffer_lift, buffer, wrong)
    with pytest.raises(InspectorError, match="no such buffer"):
        to.object(milk)
    del lifted
    assert strong(milk) == [1]


ITEMS = 3
places = st.integers(0, ITEMS - 1)
"""Which item stands in a place; ``ITEMS`` would be a released one."""
plans = st.fixed_dictionaries(
    {
        "title": st.text(max_size=5),
        "focus": st.none() | places | st.text(max_size=5),
        "by_name": st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=3), places, max_size=4
        ),
        "pinned": st.none() | places,
        "columns": st.lists(st.lists(places | st.just(ITEMS), max_size=4), max_size=4),
    }
)


def board_of(plan: Mapping[str, Any], groceries: TodoList, items: Sequence[TodoItem]) -> Board:
    match plan["focus"]:
        case str(note):
            focus: Focus = ListFocus(groceries, note.encode(errors="replace").decode())
        case None:
            focus = None
        case place:
            focus = ItemFocus(items[place])
    by_name = {name: items[place] for name, place in plan["by_name"].items()}
    pinned = None if plan["pinned"] is None else items[plan["pinned"]]
    columns = [[items[place] for place in column] for column in plan["columns"]]
    return Board(
        plan["title"].encode(errors="replace").decode(), groceries, focus, by_name, pinned, columns
    )


@given(st.lists(plans, max_size=4))
def test_any_records_keep_exactly_the_references_that_are_there(
    planned: list[dict[str, Any]],
) -> None:
    before = lib.ai_live_handles()
    planner, groceries, items = (
        Planner(),
        TodoList(),
        [TodoItem(str(place)) for place in range(ITEMS + 1)],
    )
    items[ITEMS].release()
    kept: Board | None = None
    for plan in planned:
        board = board_of(plan, groceries, items)
        if any(ITEMS in column for column in plan["columns"]):
            with pytest.raises(StaleHandleError):
                planner.exchange(board)
        else:
            assert planner.exchange(board) == kept
            kept = board
        held = list(objects_of(kept))
        for proxy in (groceries, *items[:ITEMS]):
            assert proxy.counts().strong == 1 + sum(other is proxy for other in held)
    assert planner.exchange(None) == kept
    assert strong(groceries, *items[:ITEMS]) == [1] * (ITEMS + 1)
    del planner, groceries, items, kept, planned
    held = board = proxy = None  # type: ignore[assignment]
    assert lib.ai_live_handles() == before


def objects_of(board: Board | None) -> Iterator[TodoItem | TodoList]:
    """The objects of a board, place by place."""
    if board is None:
        return
    yield board.backlog
    if isinstance(board.focus, ItemFocus):
        yield board.focus.item
    elif board.focus is not None:
        yield board.focus.items
    yield from board.by_name.values()
    if board.pinned is not None:
        yield board.pinned
    for column in board.columns:
        yield from column
