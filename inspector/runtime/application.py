"""The names that an application imports from ``inspector.runtime``."""

from __future__ import annotations

from inspector.runtime.foreign_objects import ForeignObjects, ForeignResource
from inspector.runtime.handles import Counts, Handle
from inspector.runtime.labels import Label
from inspector.runtime.loops import asyncio_drain
from inspector.runtime.planner import Board, ItemFocus, ListFocus, Planner
from inspector.runtime.resources import Resource, drain
from inspector.runtime.samples import (
    Churn,
    Cursor,
    Journal,
    Listener,
    Notice,
    TodoItem,
    TodoList,
    release_elsewhere,
)
from inspector.runtime.strategies import (
    SerialJournal,
    SerialTodoList,
    SharedJournal,
    SharedTodoList,
    ThinJournal,
    ThinTodoList,
)

__all__ = [
    "Board",
    "Churn",
    "Counts",
    "Cursor",
    "ForeignObjects",
    "ForeignResource",
    "Handle",
    "ItemFocus",
    "Journal",
    "Label",
    "ListFocus",
    "Listener",
    "Notice",
    "Planner",
    "Resource",
    "SerialJournal",
    "SerialTodoList",
    "SharedJournal",
    "SharedTodoList",
    "ThinJournal",
    "ThinTodoList",
    "TodoItem",
    "TodoList",
    "asyncio_drain",
    "drain",
    "release_elsewhere",
]
