"""The recorder for declared rows: a type's close, a resource's state, an adapter's counts."""

from __future__ import annotations

from inspector.agent.adapters.recorder import Recorder
from inspector.vocabulary import Kind, Resource
from inspector.wire import lib
from inspector.wire.declarations import Declaration
from inspector.wire.schema import COUNT_UNKNOWN


class DeclaredRecorder(Recorder):
    """Holds nothing, as its parent. Any thread."""

    __slots__ = ()

    def declared_type(self, declaration: Declaration, origin: str) -> int:
        """The type of a declaration's rows. Raises when the table of types is full."""
        closes = declaration if declaration.close else None
        return self.type_index(
            name=declaration.name, origin=origin, kind=Kind.DECLARED, closes=closes
        )

    def set_resource(self, row: int, state: Resource) -> None:
        """Sets the state of the row's resource."""
        if row > 0:
            lib.ai_row_resource(row, int(state))

    def close_begins(self, row: int, site: int) -> bool:
        """A method that closes the row's resource begins on this thread, called from ``site``.

        Whether the resource was open.
        """
        return bool(lib.ai_row_close_begins(row, site))

    def close_is_under_way(self, row: int, site: int) -> bool:
        """A method that closes the row's resource was found running, called from ``site``.

        Whether the resource was open.
        """
        return bool(lib.ai_row_close_under_way(row, site))

    def close_ended(self, row: int) -> None:
        """The method has ended that closes the row's resource."""
        lib.ai_row_close_ends(row)

    def set_single(self, row: int) -> None:
        """Mark the row as a reference that the library gave out.

        Without the other rows of its object, the object would count 1.
        """
        if row > 0:
            lib.ai_row_counts(row, 1, COUNT_UNKNOWN, 0)
