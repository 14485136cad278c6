"""Queries to begin with, one line each. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Example:
    """A query and its purpose."""

    title: str
    sql: str


EXAMPLES: Final = (
    Example(
        "Types by live handles",
        "select type, live, created, released from types order by live desc",
    ),
    Example(
        "Files that make the live handles",
        "select file, line, function, count(*) as live from handles "
        "join frames using (stack) where depth = 0 group by all order by live desc",
    ),
    Example(
        "Oldest handles",
        "select id, type, to_timestamp(created_at) as born, site from handles "
        "where created_at is not null order by created_at limit 50",
    ),
    Example(
        "Lines that made the live handles",
        "select type, site, count(*) as live from handles group by all order by live desc",
    ),
    Example(
        "Handles of one object",
        "select address, type, count(*) as handles from handles "
        "where address is not null group by all having count(*) > 1 order by 3 desc",
    ),
    Example(
        "References of native code",
        "select id, type, strong, proxies, native_refs from handles "
        "where native_refs > 0 order by native_refs desc",
    ),
    Example(
        "Events by kind and thread",
        "select event, thread, count(*) as events from events group by all order by 3 desc",
    ),
    Example(
        "Growth while recorded",
        "select type, max(live) - min(live) as spread, arg_max(live, taken_at) as last from counts "
        "group by type order by 2 desc",
    ),
)
