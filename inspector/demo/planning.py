"""Planners: threads that make lists, share items between them, and let old lists go."""

from __future__ import annotations

import threading
from collections import deque
from itertools import count
from random import Random
from typing import Final

from inspector.demo.reminders import remember_for_ever
from inspector.runtime import Listener, Notice, TodoItem, TodoList

CHORES: Final = (
    "water the plants",
    "call back",
    "order paper",
    "review the draft",
    "book the room",
    "renew the licence",
    "back up",
)
BACKLOG_LISTS: Final = 24
"""Lists that a planner keeps before it lets the oldest go."""
MOST_ITEMS: Final = 12
ROUND_SECS: Final = 0.05
REMINDER_EVERY: Final = 4
"""One item in so many is remembered for ever."""


class Planner:
    """One thread with a backlog of its own."""

    def __init__(self, name: str, seed: int, stopping: threading.Event) -> None:
        """Not started yet."""
        self._random = Random(seed)  # noqa: S311 - a sequence that repeats is what is wanted
        self._stopping = stopping
        self._backlog: deque[tuple[TodoList, list[TodoItem]]] = deque(maxlen=BACKLOG_LISTS)
        self._numbers = count(1)
        self._changes = 0
        self.thread = threading.Thread(target=self._run, name=name)

    def _run(self) -> None:
        """Plan until it is time to stop; the backlog goes with the thread."""
        inbox = TodoList()
        inbox.listen(Listener(self._note_change))
        while not self._stopping.wait(ROUND_SECS):
            self.plan(inbox)
            if len(inbox) > BACKLOG_LISTS:
                inbox = TodoList()
                inbox.listen(Listener(self._note_change))
        self._backlog.clear()

    def plan(self, inbox: TodoList) -> None:
        """One round: a list with new items, of which another holder shares an item."""
        todo = TodoList()
        items = [self._make_item(todo) for _ in range(self._random.randint(2, MOST_ITEMS))]
        inbox.add_item(items[0])
        if self._backlog:
            older, _ = self._random.choice(self._backlog)
            older.add_item(items[-1])
        self._backlog.append((todo, items[: len(items) // 2]))

    def _make_item(self, todo: TodoList) -> TodoItem:
        """An item in a list; now and then an item that is never forgotten."""
        number = next(self._numbers)
        item = todo.add_text(f"{self._random.choice(CHORES)} ({number})")
        if number % REMINDER_EVERY == 0:
            remember_for_ever(item)
        return item

    def _note_change(self, notice: Notice, item: TodoItem) -> None:
        """Native code says that the inbox changed."""
        self._changes += 1


class Knot:
    """A Python object in a reference cycle that holds a list.

    Only a garbage collection frees it.
    """

    def __init__(self, todo: TodoList) -> None:
        """Tied to itself."""
        self.todo = todo
        self.itself = self


def leave_garbage(lists: int) -> None:
    """Make so many cycles that hold handles, and forget them."""
    for number in range(lists):
        todo = TodoList()
        todo.add_text(f"forgotten {number}")
        Knot(todo)
