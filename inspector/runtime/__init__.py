"""What an application imports: handles, resources, foreign objects."""

from __future__ import annotations

from inspector.runtime.handles import Counts, Handle
from inspector.runtime.resources import Resource, drain
from inspector.runtime.samples import Churn, Cursor, Journal, Listener, Notice, TodoItem, TodoList

__all__ = ["Churn", "Counts", "Cursor", "Handle", "Journal", "Listener", "Notice", "Resource", "TodoItem", "TodoList", "drain"]
