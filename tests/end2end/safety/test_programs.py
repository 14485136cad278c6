"""Each program of the set does, shows and leaves what it does without an agent: prepared, and with one that comes and goes again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.safety.comparing import differences
from tests.helpers.safety.programs import PROGRAMS, SHORT_WAYS, Program, Way
from tests.helpers.safety.runs import run_program


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_is_as_it_is_without_an_agent(program: Program) -> None:
    if lacking := program.needs():
        pytest.skip(lacking)
    ways = (Way.WITHOUT, *SHORT_WAYS)
    with ThreadPoolExecutor(len(ways)) as runs:
        without, *others = runs.map(lambda way: run_program(program, way), ways)
    wrong = {way.value: list(map(str, differences(program, way, without, run))) for way, run in zip(SHORT_WAYS, others, strict=True)}
    assert wrong == {way.value: [] for way in SHORT_WAYS}
