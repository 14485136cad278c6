"""How commands print: tables for people, one JSON object for scripts, one line for errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_COLUMNS: Final = 240
"""Width of tables that do not go to a terminal, so that nothing is cut off for ``grep``."""


def print_error(message: str) -> None:
    """One line on stderr."""
    print(f"arc-inspector: {printable(' '.join(message.split()))}", file=sys.stderr)


def print_json(value: Mapping[str, Any]) -> None:
    """One object on stdout."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def console() -> Console:
    """Where tables go."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)


def new_table(*columns: str, right: frozenset[str] = frozenset()) -> Table:
    """A table with quiet lines; columns in ``right`` hold numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        is_number = column in right
        table.add_column(column, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    return table


def add_row(table: Table, *cells: str) -> None:
    """A row whose texts are shown as they are: names from a target are no markup, and control characters are made visible."""
    table.add_row(*(Text(printable(cell)) for cell in cells))


def printable(text: str) -> str:
    """``text`` without anything that a terminal would obey."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
