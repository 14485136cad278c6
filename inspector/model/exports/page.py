"""The evidence as one HTML page, readable without a script, a network or the tool.

Light or dark as the reader's system is. Every text goes through ``markup``, so that no name of a
target becomes markup.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from inspector.model.diff import Change, Diff
from inspector.model.exports.charts import flame_graph, timeline
from inspector.model.exports.evidence import Evidence, HeldBy
from inspector.model.exports.headlines import conclusion, headline, losses, moment, verdict_word
from inspector.model.exports.markup import Markup, lines, nothing, style, table, tag, void
from inspector.model.exports.page_style import style_text
from inspector.model.exports.tables import TextTable, all_tables
from inspector.model.findings.finding import Finding
from inspector.model.findings.judge import Report
from inspector.model.holders import PathStep
from inspector.model.wording import UNKNOWN_TEXT, clock, number, plural, signed
from inspector.vocabulary import handle_text

MOST_CHANGES: Final = 500
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page_text(evidence: Evidence) -> str:
    """The whole page."""
    snapshot = evidence.snapshot
    name = f"{snapshot.target.name} ({snapshot.target.pid})"
    chart = timeline(snapshot, evidence.course)
    parts: list[Markup] = [
        tag("h1", name),
        tag("p", headline(snapshot), class_="quiet"),
        tag("p", _made(evidence), class_="quiet"),
        *_findings(evidence),
        *(_section("Live handles over time", chart) if chart else ()),
    ]
    types, *others = all_tables(snapshot)
    parts += _table(types)
    parts += _section("Live handles by the stack that made them", flame_graph(snapshot))
    for each in others:
        parts += _table(each)
    said = losses(snapshot)
    if said:
        parts += _section("Losses and notes", tag("ul", (tag("li", line) for line in said)))
    return _whole(f"{name}: native handles", parts)


def diff_page_text(found: Diff, program: str, left_out: str) -> str:
    """Two states compared, as a page."""
    before, after = found.before, found.after
    title = f"{before.name} → {after.name}"
    how = (
        "Handles of one process, compared handle by handle"
        if found.is_same_process
        else "Two processes have no handle in common: only the numbers are compared"
    )
    said = " · ".join(filter(None, (program, left_out)))
    states = tag(
        "p", f"{before.program}, {clock(before.at)} → {after.program}, {clock(after.at)}. {how}."
    )
    parts = [tag("h1", title), states, tag("p", said, class_="quiet")]
    parts += _table(_changes("By type", (*found.types, found.total())))
    parts += _table(_changes("By type and the line that made them", found.places))
    return _whole(title, parts)


def _whole(title: str, parts: Iterable[Markup]) -> str:
    head = tag(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        void("meta", name="viewport", content="width=device-width"),
        void("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        style(style_text()),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', parts), lang='en')}\n"


def _made(evidence: Evidence) -> str:
    """When the state was taken, what made the page, and what it lacks."""
    parts = (moment(evidence.snapshot.taken_at), evidence.program, evidence.left_out)
    return " · ".join(filter(None, parts))


def _section(title: str, *content: Markup) -> list[Markup]:
    return [tag("h2", title), *content]


def _table(found: TextTable) -> list[Markup]:
    if not found.rows:
        return _section(found.title, tag("p", "None", class_="quiet"))
    more = f"and {plural(found.left_out, 'more row')}" if found.left_out else ""
    note = [tag("p", more, class_="quiet")] if more else []
    return _section(found.title, table(found.heads, found.rows, found.numbers), *note)


def _findings(evidence: Evidence) -> list[Markup]:
    report = evidence.report
    if report is None:
        return []
    suspects = report.suspects()
    blocks = [_suspect(evidence, report, each) for each in suspects]
    others = [
        (verdict_word(each.verdict, each.muted), report.rule_of(each).title, each.headline)
        for each in report.findings
        if each not in suspects
    ]
    rest = table(("Verdict", "Rule", "Finding"), others) if others else nothing()
    return _section("Findings", tag("p", f"{conclusion(report)}."), *blocks, rest)


def _suspect(evidence: Evidence, report: Report, finding: Finding) -> Markup:
    """A suspect with its evidence, its handles and what holds them."""
    rule = report.rule_of(finding)
    word = verdict_word(finding.verdict, finding.muted)
    head = tag("h3", tag("span", word, class_="bad"), f" {rule.title}: {finding.headline}")
    facts = tag("ul", (tag("li", line) for line in (*finding.evidence, rule.about)))
    handles = ", ".join(map(handle_text, finding.handles))
    held = [
        _held(handle, evidence.holders[handle])
        for handle in finding.handles
        if handle in evidence.holders
    ]
    return tag("section", head, facts, tag("p", handles, class_="quiet"), held, class_="finding")


def _held(handle: int, held: HeldBy) -> Markup:
    """The holders of a handle, a line each."""
    said = [f"holders of {handle_text(handle)}"]
    if held.native is not None:
        said += [f"  native: {each.text()} × {each.count:,}" for each in held.native.named]
    if held.python is not None:
        for path in held.python.paths:
            said.append("  python:" if path.is_rooted else "  python, without a root:")
            said += [f"    {'  ' * depth}{_step(step)}" for depth, step in enumerate(path.steps)]
        said += [f"  unknown to the collector: {each.line()}" for each in held.python.unseen]
        said += [f"  {note}" for note in held.python.notes()]
    if len(said) == 1:
        said.append("  no holder is known")
    return tag("pre", lines(said))


def _step(step: PathStep) -> str:
    return f"{step.text}  {step.file}:{step.line}" if step.line else step.text


def _changes(title: str, changes: Iterable[Change]) -> TextTable:
    heads = ("Type", "Made at", "Before", "After", "Net", "Born", "Dead", "Survived", "Changed")
    rows = tuple(
        (
            each.type_name or "All",
            each.site or UNKNOWN_TEXT,
            number(each.before),
            number(each.after),
            f"+{each.net:,}" if each.net > 0 else signed(each.net),
            *map(number, (each.born, each.dead, each.survived, each.changed)),
        )
        for each in changes
    )
    return TextTable(
        title, heads, rows[:MOST_CHANGES], (2, 3, 4, 5, 6, 7, 8), max(len(rows) - MOST_CHANGES, 0)
    )
