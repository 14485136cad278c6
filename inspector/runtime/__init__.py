"""What an application imports: handles, resources, foreign objects."""

from __future__ import annotations

from inspector.runtime.handles import Counts, Handle
from inspector.runtime.resources import Resource, drain
from inspector.runtime.samples import Change, Churn, Cursor, Journal, Listener, TodoItem, TodoList

__all__ = ["Change", "Churn", "Counts", "Cursor", "Handle", "Journal", "Listener", "Resource", "TodoItem", "TodoList", "drain"]
