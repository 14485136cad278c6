"""Native code of a live target as frames of stacks. Owned by the pump thread."""

from __future__ import annotations

from inspector.attach.symbols import NativeSymbols
from inspector.model.stacks import Frame


class NativeFrames:
    """Native frames of one target, by return address."""

    def __init__(self, pid: int) -> None:
        """Nothing is read yet."""
        self._symbols = NativeSymbols(pid)

    def __call__(self, address: int) -> tuple[Frame, ...]:
        """The frame of the code itself, then the frames of the functions into which it was inlined.

        Without a line, the file of a frame is its library.
        """
        code = self._symbols(address)
        if not code.places:
            return (Frame("", code.library, 0, code.library, code.reason),)
        return tuple(
            Frame(each.function, each.file or code.library, each.line, code.library, code.reason)
            for each in code.places
        )
