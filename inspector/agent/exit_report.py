"""The objects alive when a program ends, as text on stderr or JSON in a file; only on request.

It is taken on the thread that runs the exit functions, while the interpreter is whole. A collection
separates objects that only the interpreter's shutdown would have released from objects that the
program holds to its end. Stdlib and cffi only, as all of the agent.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from inspector.agent.segment_rows import OPEN_STATES, LiveRow, OwnSegment
from inspector.vocabulary import Resource
from inspector.wire.environment import EXIT_REPORT_JSON_VARIABLE, EXIT_REPORT_VARIABLE

SHOWN_LINES: Final = 10
"""Lines of each kind on stderr; the file has all."""


class Line(NamedTuple):
    """So many handles of one type that were made at one place."""

    type: str
    site: str
    """``app.py:41 add``; ``""`` when it was not recorded."""
    handles: int


class ExitReport(NamedTuple):
    """Handles that are alive at exit, each in one of four kinds, the most frequent first."""

    held: tuple[Line, ...]
    """*Held by the program*: something of the program, a global or native code, refers to them."""
    never_closed: tuple[Line, ...]
    """*Never closed*: their resource is open, or its close pends."""
    shutdown: tuple[Line, ...]
    """*Interpreter shutdown*: unreachable garbage, which only a collection or the end of the
    interpreter releases."""
    freed: tuple[Line, ...]
    """*Freed, still held*: the proxy's finaliser has released the reference, and the program still
    has the proxy."""
    dropped_unclosed: int
    """Resources that were dropped without a close before."""

    def value(self) -> dict[str, Any]:
        """As JSON."""
        kinds = {
            "held_by_the_program": self.held,
            "never_closed": self.never_closed,
            "interpreter_shutdown": self.shutdown,
            "freed_still_held": self.freed,
        }
        lists = {
            name: [
                {"type": line.type, "site": line.site or None, "count": line.handles}
                for line in kind
            ]
            for name, kind in kinds.items()
        }
        return {"pid": os.getpid(), **lists, "dropped_without_close": self.dropped_unclosed}

    def text(self) -> str:
        """For people; a few lines."""
        kinds = {
            "held by the program": self.held,
            "never closed": self.never_closed,
            "interpreter shutdown": self.shutdown,
            "freed, still held": self.freed,
        }
        total = sum(_total(kind) for kind in kinds.values())
        parts = [f"arc-inspector: {total:,} {'handle' if total == 1 else 'handles'} alive at exit"]
        for name, kind in kinds.items():
            if kind:
                parts.append(f"  {name}: {_total(kind):,}")
                parts += [
                    (f"    {line.handles:>7,}  {line.type}{f'  {line.site}' if line.site else ''}")
                    for line in kind[:SHOWN_LINES]
                ]
                if len(kind) > SHOWN_LINES:
                    parts.append(
                        f"    … and {_total(kind[SHOWN_LINES:]):,} in "
                        f"{len(kind) - SHOWN_LINES:,} more places"
                    )
        if self.dropped_unclosed:
            parts.append(f"  dropped without a close before: {self.dropped_unclosed:,}")
        return "\n".join(parts)


def take_report(path: str) -> ExitReport:
    """Look at the segment at ``path``, our own, collect garbage, and look again.

    Raises ``InspectorError``.
    """
    with OwnSegment(path) as segment:
        dropped = segment.never_closed()
        before = segment.live_rows()
        gc.collect()
        after = {row.handle for row in segment.live_rows()}
        return sort_rows(before, after, dropped)


def sort_rows(before: Mapping[LiveRow, str], after: set[int], dropped: int) -> ExitReport:
    """Each row of ``before`` with its site, by the fate of the row and its resource. Pure."""
    held: Counter[tuple[str, str]] = Counter()
    never_closed: Counter[tuple[str, str]] = Counter()
    shutdown: Counter[tuple[str, str]] = Counter()
    freed: Counter[tuple[str, str]] = Counter()
    for row, site in before.items():
        is_open = row.closes and row.resource in OPEN_STATES
        is_freed = row.resource == Resource.FREED
        kind = (
            freed
            if is_freed
            else never_closed
            if is_open
            else held
            if row.handle in after
            else shutdown
        )
        kind[row.type, site] += 1
    return ExitReport(_lines(held), _lines(never_closed), _lines(shutdown), _lines(freed), dropped)


def report_exit(path: str, environment: Mapping[str, str]) -> None:
    """Write the report that ``environment`` asks for.

    A failure is one line on stderr: a program ends as it would without us.
    """
    wants_text, file = (
        environment.get(EXIT_REPORT_VARIABLE, "") not in ("", "0"),
        environment.get(EXIT_REPORT_JSON_VARIABLE, ""),
    )
    if not path or not (wants_text or file):
        return
    try:
        report = take_report(path)
        if wants_text:
            print(report.text(), file=sys.stderr, flush=True)
        if file:
            _write(file, json.dumps(report.value(), indent=2) + "\n")
    except Exception as error:  # nothing of ours may change how the program ends
        print(f"arc-inspector: {error}: exit report", file=sys.stderr)


def _write(path: str, text: str) -> None:
    """A file of our own: no link is followed, no other user reads it."""
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
        file.write(text)


def _total(lines: tuple[Line, ...]) -> int:
    return sum(line.handles for line in lines)


def _lines(counted: Counter[tuple[str, str]]) -> tuple[Line, ...]:
    ordered = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    return tuple(Line(kind, site, count) for (kind, site), count in ordered)
