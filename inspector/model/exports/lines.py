"""Exports of one line a handle, or a line a stack: CSV, JSON lines, collapsed stacks."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import Any, Final

import numpy as np

from inspector.model.columns import JSON_COLUMNS
from inspector.model.exports.evidence import Evidence
from inspector.model.snapshot import Snapshot
from inspector.model.states import alive

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula."""


def handle_rows(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The live handles in slot order: the columns with a JSON value; unknown is ``None``."""
    columns = [(each.key, each.json) for each in JSON_COLUMNS if each.json is not None]
    rows = np.flatnonzero(alive(snapshot.handles)).tolist()
    return [{key: json_of(snapshot, row) for key, json_of in columns} for row in rows]


def csv_text(evidence: Evidence) -> str:
    """A head, then a row a live handle; unknown is empty.

    A text that a spreadsheet would take for a formula gets an apostrophe.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [each.key for each in JSON_COLUMNS], lineterminator="\n")
    writer.writeheader()
    for row in handle_rows(evidence.snapshot):
        writer.writerow({key: spreadsheet_cell(value) for key, value in row.items()})
    return out.getvalue()


def spreadsheet_cell(value: Any) -> Any:
    """The value; a text that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def json_lines(evidence: Evidence) -> str:
    """A JSON object a live handle, with its whole stack as a list of ``file:line function``."""
    snapshot = evidence.snapshot
    stacks = {
        number: [f"{each.file}:{each.line} {each.function}" for each in site.frames]
        for number, site in snapshot.sites.items()
    }
    lines = [
        json.dumps({**row, "stack": stacks.get(row["stack"])}, allow_nan=False)
        for row in handle_rows(snapshot)
    ]
    return "".join(f"{line}\n" for line in lines)


def stack_counts(snapshot: Snapshot) -> Counter[tuple[str, ...]]:
    """Live handles by stack, outermost frame first, and their type at the tip."""
    handles = snapshot.handles
    live = alive(handles)
    sites, types = handles.created_sites[live], handles.types[live]
    pairs, counts = np.unique(np.stack([sites, types]), axis=1, return_counts=True)
    found: Counter[tuple[str, ...]] = Counter()
    for (site_number, type_index), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
        site = snapshot.sites.get(site_number)
        frames = [each.short() for each in reversed(site.frames)] if site is not None else []
        kind = snapshot.types.get(type_index)
        found[(*(frames or ["site not recorded"]), kind.name if kind else "unknown type")] += count
    return found


def collapsed_text(evidence: Evidence) -> str:
    """``outer;inner;Type 12``, a line a stack, as flame graph tools read it."""
    lines = [
        f"{';'.join(each.replace(';', ':') for each in stack)} {count}"
        for stack, count in sorted(stack_counts(evidence.snapshot).items())
    ]
    return "".join(f"{line}\n" for line in lines)
