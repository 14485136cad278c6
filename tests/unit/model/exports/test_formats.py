"""Each format says the same as the snapshot, and is sound for the programs that read it."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from inspector.model.exports.evidence import Evidence, redacted
from inspector.model.exports.formats import TEXT_FORMATS, TextFormat
from inspector.model.exports.lines import csv_text, handle_rows, json_lines, stack_counts
from inspector.model.exports.ticket import plain
from inspector.model.exports.traces import MOST_SLICES, speedscope_text, trace_text
from inspector.model.redaction import Redactor
from inspector.model.states import alive
from tests.helpers.evidences import HOSTILE, evidence_of
from tests.helpers.secrets import PRIVATE, secret_snapshot, secrets_in
from tests.helpers.snapshots import snapshot_of
from tests.helpers.varied import varied_snapshot

BY_KEY = {each.key: each for each in TEXT_FORMATS}


@pytest.mark.parametrize("text_format", TEXT_FORMATS, ids=lambda each: each.key)
def test_no_format_has_a_private_word(text_format: TextFormat) -> None:
    evidence = Evidence(secret_snapshot(), program="arc-inspector 0")
    assert secrets_in(text_format.write(redacted(evidence, Redactor(PRIVATE)))) == []
    if text_format.key in ("html", "jsonl"):
        assert secrets_in(text_format.write(evidence)) != []


@pytest.mark.parametrize("text_format", TEXT_FORMATS, ids=lambda each: each.key)
def test_a_target_without_a_handle_and_a_hostile_one_can_be_written(
    text_format: TextFormat,
) -> None:
    assert text_format.write(Evidence(snapshot_of())) is not None
    assert text_format.write(evidence_of(HOSTILE))
    assert text_format.write(Evidence(varied_snapshot()))


def test_json_lines_are_the_live_rows_with_null_for_unknown() -> None:
    snapshot = varied_snapshot()
    lines = [json.loads(line) for line in json_lines(Evidence(snapshot)).splitlines()]
    rows = handle_rows(snapshot)
    assert len(lines) == int(np.count_nonzero(alive(snapshot.handles))) == snapshot.live_count()
    for line, row in zip(lines, rows, strict=True):
        assert {**line, "stack": None} == {**row, "stack": None}
    assert any(line["strong"] is None for line in lines)
    assert lines[0]["stack"] is None or isinstance(lines[0]["stack"], list)


def test_csv_has_the_same_rows_with_nothing_for_unknown() -> None:
    snapshot = varied_snapshot()
    found = list(csv.DictReader(io.StringIO(csv_text(Evidence(snapshot)))))
    for line, row in zip(found, handle_rows(snapshot), strict=True):
        assert line == {key: "" if value is None else str(value) for key, value in row.items()}


def test_a_name_that_is_a_formula_is_a_text_in_a_spreadsheet() -> None:
    text = csv_text(evidence_of("=cmd|' /C calc'!A0"))
    assert {row["type"][0] for row in csv.DictReader(io.StringIO(text))} == {"'", "J"}


def test_stacks_count_every_live_handle_once() -> None:
    snapshot = varied_snapshot()
    counts = stack_counts(snapshot)
    assert sum(counts.values()) == snapshot.live_count()
    text = BY_KEY["collapsed"].write(Evidence(snapshot))
    assert sum(int(line.rpartition(" ")[2]) for line in text.splitlines()) == snapshot.live_count()


def test_speedscope_weighs_every_live_handle_once() -> None:
    snapshot = varied_snapshot()
    value = json.loads(speedscope_text(Evidence(snapshot)))
    (profile,) = value["profiles"]
    assert sum(profile["weights"]) == profile["endValue"] == snapshot.live_count()
    frames = value["shared"]["frames"]
    assert len(profile["samples"]) == len(profile["weights"])
    assert all(0 <= at < len(frames) for sample in profile["samples"] for at in sample)


def test_a_trace_has_a_slice_a_handle_of_known_birth_and_says_what_is_missing() -> None:
    snapshot = varied_snapshot()
    value = json.loads(trace_text(Evidence(snapshot)))
    begun = [each for each in value["traceEvents"] if each["ph"] == "b"]
    ended = [each for each in value["traceEvents"] if each["ph"] == "e"]
    assert [each["id"] for each in begun] == [each["id"] for each in ended]
    left_out = value["otherData"]["handles left out"]
    assert len(begun) + left_out == len(snapshot.handles)
    assert left_out > 0
    assert all(start["ts"] <= end["ts"] for start, end in zip(begun, ended, strict=True))
    assert len(begun) < MOST_SLICES


def test_a_trace_counts_live_handles_at_each_moment() -> None:
    evidence = evidence_of("Plain")
    value = json.loads(trace_text(evidence))
    counters = [each for each in value["traceEvents"] if each["ph"] == "C"]
    assert len({each["ts"] for each in counters}) == len(evidence.course)


def test_nothing_in_a_ticket_is_markdown_html_or_a_mention() -> None:
    assert plain("<b>*x*|@alice #1 `c`") == r"&lt;b\>\*x\*\|\@alice \#1 \`c\`"
    text = BY_KEY["markdown"].write(evidence_of(HOSTILE))
    assert "<" not in text.replace("&lt;", "")
    heads = [line for line in text.splitlines() if line.startswith("| Type ")]
    assert heads
    for line in text.splitlines():
        if line.startswith("|") and "Journal" in line:
            assert line.replace(r"\|", "").count("|") in (6, 8)
