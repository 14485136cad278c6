"""The line of an instruction, by the tables of a code object.

CPython 3.8 and 3.9 keep pairs of steps, 3.10 pairs of spans, and later versions a table of
locations. The bytes are another process's: a damaged table gives no line, never an error. Pure; any
thread.
"""

from __future__ import annotations

from typing import Final

NO_LINE: Final = -128
"""The step of a span without a line, in 3.10."""
UNIT_BYTES: Final = 2
START_BIT: Final = 0x80
"""Set in the first byte of a location, and in no other byte."""
NO_LOCATION: Final = 15
LONG_FORMS: Final = (13, 14)
"""Forms of a location that spell the step of the line out."""
ONE_LINE_FORMS: Final = (10, 11, 12)
"""Forms whose number is the step of the line, and 10."""


def line_by_steps(table: bytes, first_line: int, instruction: int) -> int:
    """The line of the instruction at a byte, in CPython 3.8 and 3.9."""
    line, at = first_line, 0
    for span, step in zip(table[::2], table[1::2], strict=False):
        at += span
        if at > instruction:
            break
        line += _signed(step)
    return line


def line_by_spans(table: bytes, first_line: int, instruction: int) -> int:
    """The line of the instruction at a byte, in CPython 3.10; 0: it has none."""
    line, end = first_line, 0
    for span, unsigned in zip(table[::2], table[1::2], strict=False):
        step = _signed(unsigned)
        end += span
        line += step if step != NO_LINE else 0
        if instruction < end:
            return line if step != NO_LINE else 0
    return 0


def line_by_locations(table: bytes, first_line: int, instruction: int) -> int:
    """The line of the instruction at a byte, from CPython 3.11 on; 0: it has none."""
    line, end = first_line, 0
    for start, head in enumerate(table):
        if not head & START_BIT:
            continue
        form = head >> 3 & 0xF
        end += ((head & 7) + 1) * UNIT_BYTES
        if form in LONG_FORMS:
            line += _spelled(table, start + 1)
        elif form in ONE_LINE_FORMS:
            line += form - ONE_LINE_FORMS[0]
        if instruction < end:
            return 0 if form == NO_LOCATION else line
    return 0


def _spelled(table: bytes, at: int) -> int:
    """A signed number in groups of six bits, the lowest group first."""
    number = shift = 0
    for byte in table[at : at + 6]:
        number |= (byte & 0x3F) << shift
        shift += 6
        if not byte & 0x40:
            break
    return -(number >> 1) if number & 1 else number >> 1


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
