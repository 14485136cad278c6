"""Coroutines of another process: their code, variables, the awaited coroutine and the line.

The caller names a coroutine that was found by its type. Every step looks at the type of the next
object, so an object that is freed meanwhile gives nothing. One thread.

=========== ======================== =========================== ==================
version     the frame of a coroutine top of its stack            lines of its code
=========== ======================== =========================== ==================
3.8, 3.9    an object                a pointer behind it         steps
3.10        an object                a number of words           spans
3.11 – 3.13 within it                a number of words           locations
3.14        within it                a pointer behind it         locations
=========== ======================== =========================== ==================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from inspector.attach.outside import layout as at
from inspector.attach.outside.calls import TAG_BITS
from inspector.attach.outside.line_tables import (
    line_by_locations,
    line_by_spans,
    line_by_steps,
)
from inspector.attach.outside.memory import WORD_BYTES
from inspector.attach.outside.objects import Objects
from inspector.attach.outside.python import SeenPython
from inspector.attach.outside.seen import SeenFrame

MOST_WORDS: Final = 512
"""The largest object or frame that is read."""
MOST_LINE_BYTES: Final = 1 << 16
MOST_AWAITS: Final = 32
"""Coroutines that await each other, at most."""
BYTES_START: Final = 32
CELL_CONTENT: Final = 16
LIST_ITEMS: Final = 24
WORD_MASK: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class FrameLayout:
    """Offsets in bytes, on 64-bit systems, by minor version."""

    closure: int
    """The tuple of a function's cells."""
    function_name: int
    """A function's qualified name."""
    free_names: int
    """The tuple in code that ends with the names of the cells."""
    file: int
    name: int
    """The qualified name, of code where a coroutine has its frame within it, else of a
    coroutine."""
    first_line: int
    lines: int
    line_of: Callable[[bytes, int, int], int]
    instruction: int
    """A frame's place in its code."""
    variables: int
    """A frame's first variable."""
    top: int
    """The end of a frame's stack."""
    is_pointer: bool
    """The end of the stack is a pointer, not a number of words."""
    instruction_bytes: int = 1
    """Bytes of a unit in which an outer frame counts instructions."""
    variable_count: int = 0
    """The number of variables in code, where a coroutine has its frame within it.

    0: its frame is an object."""


STEPS: Final = FrameLayout(48, 104, 80, 104, 56, 40, 120, line_by_steps, 104, 360, 72, True)
SPANS: Final = FrameLayout(48 + 24, 40, 80, 104, 48, 40, 120, line_by_spans, 96, 352, 80, False, 2)
NEWER: Final = FrameLayout(
    72, 40, 96, 112, 128, 68, 136, line_by_locations, 56, 72, 64, False, variable_count=72
)
LAYOUTS: Final = {
    (3, 8): STEPS,
    (3, 9): STEPS,
    (3, 10): SPANS,
    (3, 11): replace(NEWER, first_line=72, variable_count=76),
    (3, 12): NEWER,
    (3, 13): NEWER,
    (3, 14): replace(NEWER, variables=80, is_pointer=True),
}
OBJECT_FRAME: Final = 16
"""The place in a coroutine of the pointer to a frame that is an object."""
OBJECT_FRAME_CODE: Final = 32
OBJECT_FRAME_STACK: Final = 64
"""The place in such a frame of the pointer to its stack, right behind its variables."""
STATE_BEFORE_FRAME: Final = 5
"""Bytes from a coroutine's state to the frame within it."""
ENDED_STATES: Final = range(1, 128)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame that was read at one moment."""

    place: int
    code: int
    first_variable: int
    variable_count: int
    depth: int
    """Words on its stack; 0 or less: it runs now, has not begun, or has ended."""


class Coroutines:
    """Reads the coroutines of one process."""

    def __init__(self, objects: Objects, python: SeenPython) -> None:
        """Reads nothing yet."""
        self._objects, self._python = objects, python
        self._memory = objects.memory
        self.layout = LAYOUTS[python.version]

    def kind_of(self, place: int) -> int:
        """The type of an object; 0: nothing can be read there."""
        return self._word(place + WORD_BYTES)

    def of_kind(self, places: Sequence[int], kind: int) -> list[int]:
        """The objects of a type among words."""
        words = np.array(places, np.uint64)
        kinds = self._memory.words(words + np.uint64(WORD_BYTES))
        return [int(place) for place in words[(kinds == np.uint64(kind)) & (words != 0)]]

    def body(self, place: int) -> list[int]:
        """The words of an object, by the size that its type has."""
        size = self._word(self.kind_of(place) + at.TYPE_BASIC_SIZE)
        return self._words(place, size // WORD_BYTES) if size <= MOST_WORDS * WORD_BYTES else []

    def items(self, place: int) -> list[int]:
        """The items of a tuple or list; none of another object."""
        kind = self.kind_of(place)
        if kind == self._python.type_of_tuples:
            return [int(item) for item in self._objects.items(np.array([place], np.uint64))[1]]
        if kind == self._python.type_of_lists:
            return self._words(self._word(place + LIST_ITEMS), self._word(place + at.TUPLE_SIZE))
        return []

    def cells(self, function: int) -> dict[str, int]:
        """The variables that a function has from the function around it, by name."""
        if self.kind_of(function) != self._python.type_of_functions:
            return {}
        cells = self.items(self._word(function + self.layout.closure))
        code = self._word(function + self._objects.layout.function_code)
        names = self.items(self._word(code + self.layout.free_names))[-len(cells) :]
        texts = self._objects.texts(np.array(names if cells else [], np.uint64))
        return dict(zip(texts, self.contents(cells), strict=False))

    def contents(self, cells: Sequence[int]) -> list[int]:
        """The contents of cells; 0 for an empty cell, or another object."""
        known = set(self.of_kind(cells, self._python.type_of_cells))
        return [self._word(each + CELL_CONTENT) if each in known else 0 for each in cells]

    def function_name(self, function: int) -> str:
        """The qualified name of a function; ``""`` for another object."""
        if self.kind_of(function) != self._python.type_of_functions:
            return ""
        return self._text(function + self.layout.function_name)

    def variables(self, coroutine: int) -> list[int]:
        """The variables of a coroutine that has not ended; 0 where a variable is not set."""
        frame = self._frame(coroutine)
        return [] if frame is None else self._words(frame.first_variable, frame.variable_count)

    def stack(self, coroutine: int) -> tuple[SeenFrame, ...]:
        """The lines of a coroutine and of the coroutines that it awaits, innermost first.

        Empty: one of them runs now, has not begun or has ended, or cannot be read.
        """
        lines: list[SeenFrame] = []
        for _ in range(MOST_AWAITS):
            frame = self._frame(coroutine)
            line = self._line(coroutine, frame) if frame is not None else None
            if frame is None or line is None:
                return ()
            lines.insert(0, line)
            coroutine = self._awaited(frame)
            if not coroutine:
                return tuple(lines)
        return ()

    def awaited(self, coroutine: int) -> int:
        """The coroutine that a coroutine awaits; 0: none."""
        frame = self._frame(coroutine)
        return 0 if frame is None else self._awaited(frame)

    def _awaited(self, frame: _Frame) -> int:
        if frame.depth <= 0:
            return 0
        top = frame.first_variable + (frame.variable_count + frame.depth - 1) * WORD_BYTES
        word = self._word(top) & ~TAG_BITS
        return word if self.kind_of(word) == self._python.type_of_coroutines else 0

    def _frame(self, coroutine: int) -> _Frame | None:
        """The frame of a coroutine that has not ended."""
        if self.kind_of(coroutine) != self._python.type_of_coroutines:
            return None
        layout = self.layout
        if not layout.variable_count:
            place = self._word(coroutine + OBJECT_FRAME)
            code = self._word(place + OBJECT_FRAME_CODE)
            stack = self._word(place + OBJECT_FRAME_STACK)
            count = (stack - place - layout.variables) // WORD_BYTES
        else:
            place = coroutine + self._objects.layout.coroutine_frame
            state = self._memory.read(place - STATE_BEFORE_FRAME, 1)
            if not state or state[0] in ENDED_STATES:
                return None
            code = self._word(place + self._objects.layout.frame_code) & ~TAG_BITS
            count = self._half(code + layout.variable_count)
        if self.kind_of(code) != self._python.type_of_code or not 0 <= count <= MOST_WORDS:
            return None
        first = place + layout.variables
        depth = self._depth(place, first + count * WORD_BYTES, count)
        return _Frame(place, code, first, count, depth if depth <= MOST_WORDS else 0)

    def _depth(self, place: int, stack: int, count: int) -> int:
        """Words on the stack of a frame."""
        if self.layout.is_pointer:
            return (self._word(place + self.layout.top) - stack) // WORD_BYTES
        number = self._half(place + self.layout.top)
        return number - count if self.layout.variable_count else number

    def _line(self, coroutine: int, frame: _Frame) -> SeenFrame | None:
        """The line on which a coroutine waits."""
        layout, code = self.layout, frame.code
        name = self._text((code if layout.variable_count else coroutine) + layout.name)
        file = self._text(code + layout.file)
        table = self._word(code + layout.lines)
        size = self._word(table + at.TUPLE_SIZE)
        if frame.depth <= 0 or not name or not file or size > MOST_LINE_BYTES:
            return None
        if layout.variable_count:
            first = code + self._word(self._python.type_of_code + at.TYPE_BASIC_SIZE)
            instruction = self._word(frame.place + layout.instruction) - first
        else:
            instruction = self._half(frame.place + layout.instruction) * layout.instruction_bytes
        first_line = self._half(code + layout.first_line)
        text = self._memory.read(table + BYTES_START, size)
        line = layout.line_of(text, first_line, instruction)
        return SeenFrame(name, file, line) if line > 0 and len(text) == size else None

    def _text(self, place: int) -> str:
        return self._objects.texts(self._memory.words([place & WORD_MASK]))[0]

    def _word(self, place: int) -> int:
        return int(self._memory.words([place & WORD_MASK])[0])

    def _half(self, place: int) -> int:
        return int.from_bytes(self._memory.read(place & WORD_MASK, 4), "little", signed=True)

    def _words(self, place: int, count: int) -> list[int]:
        """Words that lie together, without the marks of 3.14; none when they cannot be read."""
        if not 0 < count <= MOST_WORDS:
            return []
        gathered = self._memory.gather([place & WORD_MASK], count * WORD_BYTES)
        words = gathered.data.view("<u8")[0] & np.uint64(~TAG_BITS & WORD_MASK)
        return [int(word) for word in words]
