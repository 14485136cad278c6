"""Levels by name."""

from __future__ import annotations

import pytest

from inspector.agent.process import parse_level
from inspector.errors import UsageError
from inspector.vocabulary import Level


@pytest.mark.parametrize("text", ["stacks", "STACKS", "Stacks"])
def test_levels_are_told_by_name(text: str) -> None:
    assert parse_level(text) is Level.STACKS


@pytest.mark.parametrize("text", ["", "2", "loud"])
def test_what_is_no_level_is_wrong_use_that_names_the_levels(text: str) -> None:
    with pytest.raises(UsageError, match="off, count, history, stacks"):
        parse_level(text)
