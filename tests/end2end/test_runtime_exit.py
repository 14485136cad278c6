"""Ends of programs: handles that are held to the last moment do no harm."""

from __future__ import annotations

import pytest

from tests.helpers.targets import start_target


@pytest.mark.parametrize("level", ["none", "off", "count", "history", "stacks"])
def test_a_program_that_ends_holding_handles_everywhere_ends_well(level: str) -> None:
    with start_target("shutdown", level) as target:
        assert target.finish() == 0
        assert target.errors() == ""
