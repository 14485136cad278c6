"""Spans of time on the command line."""

from __future__ import annotations

import pytest

from inspector.commands.support.options import parse_span
from inspector.errors import UsageError


@pytest.mark.parametrize(
    ("text", "secs"),
    [
        ("500ms", 0.5),
        ("10s", 10),
        ("10", 10),
        (" 1.5 s ", 1.5),
        ("2min", 120),
        ("2m", 120),
        ("1H", 3600),
    ],
)
def test_spans_are_read_with_their_unit(text: str, secs: float) -> None:
    assert parse_span(text) == secs


@pytest.mark.parametrize("text", ["", "0s", "-3s", "10 years", "s", "1e9s", "nan"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="500ms"):
        parse_span(text)


@pytest.mark.parametrize("text", ["9000h", "9" * 400 + "s"])
def test_a_span_that_no_system_waits_for_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="at most a year"):
        parse_span(text)
