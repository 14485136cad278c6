"""The formats of ``export``, one line a format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from inspector.model.exports.evidence import Evidence
from inspector.model.exports.lines import collapsed_text, csv_text, json_lines
from inspector.model.exports.page import page_text
from inspector.model.exports.ticket import ticket_text
from inspector.model.exports.traces import speedscope_text, trace_text


@dataclass(frozen=True, slots=True)
class TextFormat:
    """A format that is a text."""

    key: str
    about: str
    write: Callable[[Evidence], str]
    is_judged: bool = False
    """It shows findings and the course of counters, so a process is watched for a while."""


TEXT_FORMATS: Final = (
    TextFormat("html", "one page for a ticket, without a script", page_text, is_judged=True),
    TextFormat("markdown", "findings and types for a ticket", ticket_text, is_judged=True),
    TextFormat("csv", "a row a live handle", csv_text),
    TextFormat("jsonl", "a JSON object a live handle", json_lines),
    TextFormat("speedscope", "live handles by stack, for speedscope", speedscope_text),
    TextFormat("collapsed", "live handles by stack, for flame graph tools", collapsed_text),
    TextFormat("perfetto", "lives of handles as a trace, for Perfetto", trace_text, is_judged=True),
)
