"""Sentences about a row of the table of change, and its evidence as Markdown. Pure; any thread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from inspector.model import wording
from inspector.model.changes import ChangeRow, ChangeTable
from inspector.model.holder_groups import HolderGroup, summary
from inspector.model.stacks import Site
from inspector.vocabulary import handle_text


def growth_sentence(row: ChangeRow, table: ChangeTable) -> str:
    """``1,865 → 2,107 live in 41 s``; then the finding's sentence."""
    since = table.since_secs
    if math.isnan(row.change) or math.isnan(since):
        text = f"{wording.number(row.live)} live"
    else:
        before = wording.number(row.live - row.change)
        text = f"{before} → {wording.number(row.live)} live in {wording.age(since)}"
    if row.unseen:
        text += f" · {row.unseen:,} made before attach"
    if row.waits:
        text += f" · {wording.plural(row.waits, 'pending close')}"
    return f"{text}. {row.finding.headline}" if row.finding is not None else text


def site_of(row: ChangeRow, table: ChangeTable) -> Site | None:
    """The stack of the line of a row; for a type the line of its only or its largest row."""
    name = row.site
    if not name and row.children:
        named = [child for child in row.children if child.site]
        name = named[0].site if len(named) == 1 or (named and named[0].change > 0) else ""
    if not name:
        return None
    sites = table.facts.snapshot.sites.values()
    return next((site for site in sites if site.short() == name), None)


def markdown_of(
    row: ChangeRow, table: ChangeTable, groups: Sequence[HolderGroup], looked_at: int
) -> str:
    """The evidence for a ticket: sentence, numbers, path, versions."""
    snapshot, target = table.facts.snapshot, table.facts.snapshot.target
    baseline = table.facts.baseline
    site = site_of(row, table)
    lines = [f"### {row.type_name or row.title}", "", growth_sentence(row, table), ""]
    if row.finding is not None:
        lines += [f"- {each}" for each in row.finding.evidence]
    rows = [
        ("live", wording.number(row.live)),
        ("change", _signed(row.change) + (f" since {baseline.name}" if baseline else "")),
        ("per minute", _signed(row.per_min)),
        ("born, died", f"{wording.rate(row.births)}, {wording.rate(row.deaths)}"),
        ("oldest", wording.age(snapshot.taken_at - row.oldest_at)),
    ]
    lines += ["", "| number | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    if site is not None:
        lines += ["", "Made at:", "```", *(frame.short() for frame in site.frames), "```"]
    if groups:
        lines += ["", "Held by:", "```"]
        lines += [f"{group.expression}  ({summary(group, looked_at)})" for group in groups]
        lines += ["```"]
    if groups and groups[0].handles:
        lines += ["", "Handles: " + ", ".join(handle_text(each) for each in groups[0].handles)]
    lines += [
        "",
        f"{target.name} {target.pid}, {target.runtime}, arc-inspector {_version()}, "
        f"{wording.clock(snapshot.taken_at)}",
    ]
    return "\n".join(lines) + "\n"


def _signed(value: float) -> str:
    return wording.UNKNOWN_TEXT if math.isnan(value) else f"{value:+,.0f}"


def _version() -> str:
    try:
        return version("arc-inspector")
    except PackageNotFoundError:
        return wording.UNKNOWN_TEXT
