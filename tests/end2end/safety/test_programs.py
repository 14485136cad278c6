"""Each program of the set behaves as without an agent, with it prepared or injected."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.helpers.safety.comparing import differences
from tests.helpers.safety.programs import PROGRAMS, SHORT_WAYS, Program, Way
from tests.helpers.safety.runs import run_program

MOST_RUNS = 3


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_is_as_it_is_without_an_agent(program: Program) -> None:
    """A difference fails the test when every run shows it.

    A passing difference, such as a file that an import of the agent opens for a moment, or a thread
    that is just ending, is shown by the full form.
    """
    if lacking := program.needs():
        pytest.skip(lacking)
    wrong = differing(program)
    for _ in range(MOST_RUNS - 1):
        if any(wrong.values()):
            again = differing(program)
            wrong = {
                way: [each for each in found if fact_of(each) in map(fact_of, again[way])]
                for way, found in wrong.items()
            }
    assert wrong == {way.value: [] for way in SHORT_WAYS}


def differing(program: Program) -> dict[str, list[str]]:
    """By way, each difference from a run without the agent."""
    ways = (Way.WITHOUT, *SHORT_WAYS)
    with ThreadPoolExecutor(len(ways)) as runs:
        without, *others = runs.map(lambda way: run_program(program, way), ways)
    return {
        way.value: list(map(str, differences(program, way, without, run)))
        for way, run in zip(SHORT_WAYS, others, strict=True)
    }


def fact_of(difference: str) -> str:
    """Its fact and moment."""
    return difference.partition(":")[0]
