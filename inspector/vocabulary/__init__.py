"""The words that a target and its viewers share, each said once.

They are levels, states, kinds, events, operations, and the text of a handle's number.

Pure Python of the standard library; the numbers are equal to
``native/crates/segment/src/layout``'s, and tests compare both. Any thread.
"""

from __future__ import annotations

from inspector.vocabulary.events import EventKind
from inspector.vocabulary.handles import handle_text
from inspector.vocabulary.kinds import Kind, kind_named, kinds_where
from inspector.vocabulary.libraries import INTERNAL_MODULES, library_line, library_title
from inspector.vocabulary.operations import OPERATIONS, Operation, Place, operation_named
from inspector.vocabulary.states import PENDING, Level, Reference, Resource

__all__ = [
    "INTERNAL_MODULES",
    "OPERATIONS",
    "PENDING",
    "EventKind",
    "Kind",
    "Level",
    "Operation",
    "Place",
    "Reference",
    "Resource",
    "handle_text",
    "kind_named",
    "kinds_where",
    "library_line",
    "library_title",
    "operation_named",
]
