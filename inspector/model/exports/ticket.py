"""The evidence as Markdown, for a ticket or the summary of a CI job. Pure; any thread."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from inspector.model.exports.evidence import Evidence
from inspector.model.exports.headlines import conclusion, headline, losses, moment, verdict_word
from inspector.model.exports.tables import TextTable, pending_table, types_table
from inspector.model.wording import plural
from inspector.plain_text import printable
from inspector.vocabulary import handle_text

MOST_ROWS: Final = 50
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+!|~>@-])")


def ticket_text(evidence: Evidence) -> str:
    """Findings, types and pending closes."""
    snapshot = evidence.snapshot
    made = (moment(snapshot.taken_at), evidence.program, evidence.left_out)
    lines = [f"# {plain(headline(snapshot))}", "", plain(" · ".join(filter(None, made))), ""]
    lines += _findings(evidence)
    for table in (types_table(snapshot), pending_table(snapshot)):
        lines += markdown_table(table)
    lines += [f"- {plain(each)}" for each in losses(snapshot)]
    return "\n".join(lines).rstrip() + "\n"


def plain(text: str) -> str:
    """``text`` as it is: nothing in it is Markdown, HTML or a mention."""
    text = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", text)


def markdown_table(found: TextTable, most: int = MOST_ROWS) -> list[str]:
    """A heading and the table; nothing without rows."""
    if not found.rows:
        return []
    ends = ["---:" if at in found.numbers else "---" for at in range(len(found.heads))]
    lines = [f"## {plain(found.title)}", "", _row(map(plain, found.heads)), _row(ends)]
    lines += [_row(map(plain, row)) for row in found.rows[:most]]
    left_out = len(found.rows) - most + found.left_out if len(found.rows) > most else found.left_out
    return [*lines, "", *([f"and {plural(left_out, 'more row')}", ""] if left_out else [])]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _findings(evidence: Evidence) -> list[str]:
    report = evidence.report
    if report is None:
        return []
    lines = [f"## {plain(conclusion(report))}", ""]
    for finding in report.findings:
        rule = report.rule_of(finding)
        word = verdict_word(finding.verdict, finding.muted)
        lines.append(f"- **{plain(word)}** {plain(rule.title)}: {plain(finding.headline)}")
        if finding in report.suspects():
            lines += [f"  - {plain(each)}" for each in (*finding.evidence, rule.about)]
            if finding.handles:
                lines.append(f"  - {plain(', '.join(map(handle_text, finding.handles)))}")
    return [*lines, ""]
