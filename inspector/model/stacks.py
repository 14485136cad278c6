"""Stacks as the viewer knows them: frames, stacks of threads, and interned stacks."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspector.model.fields import rare
from inspector.source_places import naming_frame


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a stack."""

    function: str
    file: str
    """Native code without a line has its library here."""
    line: int
    """0: unknown."""
    library: str = rare()
    """The library that holds native code; ``""``: the frame is of Python, or none is known."""
    no_line: str = rare()
    """The reason why native code has no line, if its library should tell one."""

    def short(self) -> str:
        """``app.py:41 add``."""
        name = self.file.rpartition("/")[2] or "?"
        where = f"{name}:{self.line}" if self.line else name
        return f"{where} {self.function}".rstrip()

    def place(self) -> str:
        """``/srv/app.py:41``, or the file alone when the line is not known."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def whole(self) -> str:
        """``/srv/app.py:41 add``; for native code with its library and the reason for no line."""
        library = self.library if self.library != self.file else ""
        notes = "; ".join(filter(None, (library.rpartition("/")[2], self.no_line)))
        text = f"{self.place() or '?'} {self.function}".rstrip()
        return f"{text} ({notes})" if notes else text


@dataclass(frozen=True, slots=True)
class ThreadStack:
    """The stack of a thread, read from outside."""

    tid: int
    name: str
    doing: str
    """By the system's word: ``waits in select``, ``runs``."""
    frames: tuple[Frame, ...] = ()
    """Python frames, innermost first; empty: it runs no Python, or that cannot be told."""
    holds_gil: bool = False
    """It held the interpreter's lock."""


@dataclass(frozen=True, slots=True)
class Site:
    """An interned stack, innermost frame first."""

    index: int
    frames: tuple[Frame, ...]
    cut: bool = False
    packages: tuple[str, ...] = field(default=(), compare=False)
    """The packages that define the followed classes: their frames do not name the site. Derived
    from the types, not stored."""

    def short(self) -> str:
        """The innermost frame of the program's own.

        The innermost of all where there is none; ``""`` without frames.
        """
        return self.frames[self.naming].short() if self.frames else ""

    def lines(self) -> tuple[str, ...]:
        """The whole stack, innermost frame first, as ``Frame.short``, with reasons for no line."""
        shown = (
            f"{each.short()} ({each.no_line})" if each.no_line else each.short()
            for each in self.frames
        )
        return (*shown, *("…",) * self.cut)

    def text(self) -> str:
        """The whole stack as ``Frame.whole``, innermost frame first, a line a frame."""
        return "\n".join([*(each.whole() for each in self.frames), *["…"] * self.cut])

    def innermost(self) -> str:
        """The innermost frame, whosever it is; ``""`` without frames."""
        return self.frames[0].short() if self.frames else ""

    @property
    def naming(self) -> int:
        """Index of the frame that names the site."""
        return naming_frame([frame.file for frame in self.frames], self.packages)
