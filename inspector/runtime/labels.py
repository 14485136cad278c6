"""Names for references that native code keeps without a handle."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from inspector.runtime.handles import Handle, call, call_for_number
from inspector.wire import lib
from inspector.wire.text import text_struct


class Label:
    """A strong reference on a handle's object, with a name.

    The inspector shows it by this name among the native holders.

    Given up by ``drop``, at the end of ``with``, or with this object. Any thread.
    """

    __slots__ = ("_number",)

    def __init__(self, handle: Handle, name: str) -> None:
        """Count the object up. Raises the errors of a wrong handle."""
        self._number = 0
        native, held = text_struct(name)
        self._number = call_for_number(lib.ai_label, handle.handle, native)
        del held

    def drop(self) -> None:
        """Give the reference up; a second time does nothing."""
        number, self._number = self._number, 0
        if number:
            call(lib.ai_label_drop, number)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the reference up."""
        self.drop()

    def __del__(self) -> None:
        """Give the reference up."""
        self.drop()
