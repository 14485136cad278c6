"""What an application imports: handles, resources, foreign objects."""

from __future__ import annotations

from inspector.runtime.handles import Counts, Handle
from inspector.runtime.labels import Label
from inspector.runtime.loops import asyncio_drain
from inspector.runtime.resources import Resource, drain
from inspector.runtime.samples import Churn, Cursor, Journal, Listener, Notice, TodoItem, TodoList
from inspector.runtime.strategies import ForeignObjects, SerialTodoList, SharedTodoList, ThinTodoList

__all__ = [
    "Churn",
    "Counts",
    "Cursor",
    "ForeignObjects",
    "Handle",
    "Journal",
    "Label",
    "Listener",
    "Notice",
    "Resource",
    "SerialTodoList",
    "SharedTodoList",
    "ThinTodoList",
    "TodoItem",
    "TodoList",
    "asyncio_drain",
    "drain",
]
