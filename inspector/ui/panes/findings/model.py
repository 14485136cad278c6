"""The table of findings: its columns over a ``Report``. GUI thread only."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from PySide6.QtCore import QObject

from inspector.model.findings.finding import Finding, Verdict
from inspector.model.findings.judge import ORDER, Report
from inspector.ui.kit.column_model import Column, ColumnModel, Cue, SortKeys, ranks_of
from inspector.ui.kit.theme import Theme

CUES: Final = {
    Verdict.SUSPECT: Cue("suspect", "suspect"),
    Verdict.YOUNG: Cue("text_quiet", "waiting"),
    Verdict.UNMEASURED: Cue("text_quiet", "ring"),
    Verdict.OK: Cue("text_quiet", "closed"),
}
"""Icon and colour of each verdict."""
MUTED_CUE: Final = Cue("text_quiet", "mute")


@dataclass(frozen=True, slots=True)
class FindingRows:
    """The findings of one report."""

    report: Report

    def __len__(self) -> int:
        """Findings."""
        return len(self.report.findings)

    def at(self, row: int) -> Finding:
        """The finding of a row."""
        return self.report.findings[row]


def finding_model(
    theme: Theme, rows: FindingRows, parent: QObject | None = None
) -> ColumnModel[FindingRows]:
    """A table of ``rows``. Its keys are made of the findings' own keys."""
    return ColumnModel(_columns(), rows, _keys, theme=theme, parent=parent)


def cue_of(finding: Finding) -> Cue:
    """The cue of a finding: a muted finding has none."""
    return MUTED_CUE if finding.muted else CUES[finding.verdict]


def verdict_text(finding: Finding) -> str:
    """The verdict in a word; ``muted`` for a muted finding."""
    return "muted" if finding.muted else str(finding.verdict)


def _columns() -> tuple[Column[FindingRows], ...]:
    return (
        Column(
            "Verdict",
            "How sure the rule is",
            lambda rows, i: verdict_text(rows.at(i)),
            _by_verdict,
            cue=lambda rows, i: cue_of(rows.at(i)),
        ),
        Column(
            "Rule",
            "What was looked for",
            _rule_title,
            lambda rows: np.arange(len(rows)),
            tooltip=_rule_about,
        ),
        Column(
            "Finding",
            "What was found",
            lambda rows, i: rows.at(i).headline,
            _by_headline,
            tooltip=lambda rows, i: "\n".join((rows.at(i).headline, *rows.at(i).evidence)),
            cue=lambda rows, i: (
                None
                if rows.at(i).verdict is Verdict.SUSPECT and not rows.at(i).muted
                else Cue("text_quiet")
            ),
        ),
    )


def _rule_title(rows: FindingRows, row: int) -> str:
    return rows.report.rule_of(rows.at(row)).title


def _rule_about(rows: FindingRows, row: int) -> str:
    return rows.report.rule_of(rows.at(row)).about


def _by_verdict(rows: FindingRows) -> SortKeys:
    return np.array(
        [2 * ORDER.index(each.verdict) + bool(each.muted) for each in rows.report.findings],
        dtype=np.int64,
    )


def _by_headline(rows: FindingRows) -> SortKeys:
    return ranks_of(np.arange(len(rows)), {row: rows.at(row).headline for row in range(len(rows))})


def _keys(rows: FindingRows) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Rule and subject; a rule that said the same of two subjects of one name counts them."""
    seen: dict[str, int] = {}
    keys = np.empty(len(rows), np.uint64)
    for row, finding in enumerate(rows.report.findings):
        seen[finding.key] = seen.get(finding.key, 0) + 1
        keys[row] = zlib.crc32(finding.rule.encode()) << 32 | zlib.crc32(
            f"{finding.subject} {seen[finding.key]}".encode()
        )
    return keys
