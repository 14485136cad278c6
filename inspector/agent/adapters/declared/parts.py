"""Closes that wait until parts of their object are closed, and a holder of these parts.

A context of ZeroMQ is closed when all of its sockets are. A declaration of the sockets names the
attribute that leads to the context. Worker thread; keeps no object of the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from inspector.agent.adapters.declared.followed import Followed
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.faults import Faults
from inspector.agent.referrers import describe_referrers

MOST_LOOKED_AT: Final = 10_000
"""Objects of one class that are asked for their whole."""
MOST_HOLDERS: Final = 3


class _Parts:
    """The open parts of one object."""

    __slots__ = ("count", "first", "name")

    def __init__(self) -> None:
        """No part is found yet."""
        self.count = 0
        self.first = 0
        """Row of the part that was found first."""
        self.name = ""


class WaitedFor:
    """The open parts that running closes wait for."""

    def __init__(self, faults: Faults) -> None:
        """Knows none."""
        self._faults = faults
        self._holders: dict[int, list[str]] = {}
        """Holders of a part, by its row: finding them takes a look at the whole heap."""

    def told(
        self, closing: Mapping[int, Any], followed: Iterable[Followed]
    ) -> list[dict[str, Any]]:
        """For each of these objects, by its row, the parts that are open; for a viewer."""
        rows_of = {id(proxy): row for row, proxy in closing.items()}
        parts = {row: _Parts() for row in closing}
        for each in list(followed) if closing else ():
            if each.declaration.part_of and isinstance(each.rows, DeclaredRows):
                self._count(each.declaration.part_of, each.rows, rows_of, parts)
        told = [
            {"handle": row, **self._described(each)} for row, each in parts.items() if each.count
        ]
        known = {each.first for each in parts.values()}
        self._holders = {row: found for row, found in self._holders.items() if row in known}
        return told

    def _count(
        self,
        attribute: str,
        rows: DeclaredRows,
        rows_of: Mapping[int, int],
        parts: Mapping[int, _Parts],
    ) -> None:
        for place in islice(rows.native.places(), MOST_LOOKED_AT):
            part = rows.native.at(place)
            row = 0 if part is None else rows.row_of(part)
            try:
                whole = getattr(part, attribute, None) if row > 0 else None
            except Exception as error:  # an attribute of the program may raise anything
                self._faults.add(error)
                return
            found = parts.get(rows_of.get(id(whole), 0))
            del whole
            if found is not None:
                found.count += 1
                found.name = rows.declaration.name
                if not found.first:
                    found.first = row
                    self._find_holders(row, part)
            del part

    def _find_holders(self, row: int, part: object) -> None:
        if row not in self._holders:
            self._holders[row] = describe_referrers(part)[:MOST_HOLDERS]

    def _described(self, parts: _Parts) -> dict[str, Any]:
        return {
            "part": parts.name,
            "count": parts.count,
            "first": parts.first,
            "holders": self._holders.get(parts.first, []),
        }
