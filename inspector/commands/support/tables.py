"""Tables for people, readable at any width.

Columns without room are left out, which is said; long cells are wrapped at words.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from inspector.commands.support.output import say, write_text
from inspector.plain_text import printable

GAP: Final = 2
"""Blanks between columns."""
NARROWEST: Final = 12
"""A column of text that is longer is not made narrower while a column can be left out."""
LONGEST_WORD: Final = 24
"""A longer word is broken before a column is left out for it."""
SMALLEST: Final = 6
"""Not even on the narrowest terminal is a column of text narrower."""
MOST_CHARS: Final = 400
"""Of a cell on a terminal; the rest is cut off. Elsewhere nothing is."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    rank: int = 0
    """Columns of a lower rank find room first; those of rank 0 are always shown."""
    is_number: bool = False


class Table:
    """Rows of texts; ``print`` shows them."""

    def __init__(self, *columns: Column) -> None:
        """No rows yet."""
        self._columns = columns
        self._rows: list[tuple[str, ...]] = []

    def add(self, *cells: str) -> None:
        """A row, a cell for each column.

        Cells are shown as they are, without anything that a terminal obeys.
        """
        self._rows.append(tuple(printable(cell) for cell in cells))

    def print(self) -> None:
        """Print as wide as the terminal.

        Without a terminal each row is one line with nothing left out.
        """
        width = output_width()
        rows = self._rows if width is None else [tuple(map(_cut, row)) for row in self._rows]
        measures = [
            _Measure.of(column, [row[number] for row in rows])
            for number, column in enumerate(self._columns)
        ]
        chosen = list(range(len(measures))) if width is None else _chosen(measures, width)
        widths = [measures[number].natural for number in chosen]
        if width is not None:
            widths = _fitted([measures[number] for number in chosen], width)
        write_text(
            _drawn(
                [self._columns[number] for number in chosen],
                widths,
                [[row[number] for number in chosen] for row in rows],
            )
        )
        left_out = [
            column.title for number, column in enumerate(self._columns) if number not in chosen
        ]
        if left_out:
            say(
                f"Not shown for want of room: {', '.join(left_out)} (a wider terminal "
                "and --json "
                "have them)"
            )


def output_width() -> int | None:
    """Columns of the terminal, or those that ``COLUMNS`` asks for.

    ``None``: no terminal, so lines may have any length.
    """
    asked = os.environ.get("COLUMNS", "")
    if sys.stdout.isatty() or (asked.isascii() and asked.isdigit() and int(asked[:6]) > 0):
        return max(shutil.get_terminal_size().columns, 1)
    return None


@dataclass(frozen=True, slots=True)
class _Measure:
    """Widths of a column in cells of the terminal."""

    rank: int
    is_number: bool
    natural: int
    """So that nothing wraps."""
    least: int
    """Narrower than that it is hard to read."""

    @classmethod
    def of(cls, column: Column, cells: Sequence[str]) -> _Measure:
        natural = max(map(cell_len, (column.title, *cells)))
        title_word = max(map(cell_len, column.title.split()))
        if column.is_number:
            return cls(
                column.rank, True, natural, max(title_word, max(map(cell_len, cells), default=0))
            )
        words = [cell_len(word) for cell in (column.title, *cells) for word in cell.split()]
        readable = max(NARROWEST, min(max(words), LONGEST_WORD))
        return cls(column.rank, False, natural, min(natural, readable))


def _chosen(measures: Sequence[_Measure], width: int) -> list[int]:
    """The columns that find room.

    Rank 0 is always shown, then the others by rank, from the left.
    """
    chosen: list[int] = []
    left = width + GAP
    for number in sorted(range(len(measures)), key=lambda number: (measures[number].rank, number)):
        wanted = measures[number].least + GAP
        if measures[number].rank == 0 or wanted <= left:
            chosen.append(number)
            left -= wanted
    return sorted(chosen)


def fitted_widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> list[int]:
    """A width for each column, so that all of them and the gaps find room in ``width``."""
    measures = [_Measure.of(column, [row[at] for row in rows]) for at, column in enumerate(columns)]
    return _fitted(measures, width)


def _fitted(measures: Sequence[_Measure], width: int) -> list[int]:
    """A width for each column: room left over goes to heads of numbers, then to what lacks most.

    The widest give what is missing.
    """
    widths = [each.least for each in measures]
    left = width - GAP * (len(widths) - 1) - sum(widths)
    while left > 0:
        lacks = [
            (each.natural - now, each.is_number) for each, now in zip(measures, widths, strict=True)
        ]
        if max(lacks)[0] <= 0:
            break
        widths[lacks.index(max(lacks, key=lambda lack: (lack[0] > 0, lack[1], lack[0])))] += 1
        left -= 1
    while left < 0:
        spare = [
            0 if each.is_number else now - SMALLEST
            for each, now in zip(measures, widths, strict=True)
        ]
        if max(spare) <= 0:
            break
        widths[spare.index(max(spare))] -= 1
        left += 1
    return widths


def _drawn(columns: Sequence[Column], widths: Sequence[int], rows: Sequence[Sequence[str]]) -> str:
    """The table as text, with the terminal's own marks for its head where there is a terminal."""
    table = Drawn(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            width=width,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False, width=sum(widths) + GAP * len(widths), file=sys.stdout)
    with console.capture() as captured:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _cut(cell: str) -> str:
    return cell if len(cell) <= MOST_CHARS else f"{cell[: MOST_CHARS - 1]}…"
