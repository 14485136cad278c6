"""Benchmarks state goals; the table at the end says which were met.

A missed goal fails only with ``--strict-goals``: on a machine that does other things as well, a
ratio says little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

import pytest


@dataclass(frozen=True)
class Goal:
    """The measured quantity, and the goal."""

    what: str
    measured: float
    limit: float
    unit: str
    is_met: bool


@dataclass
class Goals:
    """Everything that this run stated."""

    stated: list[Goal] = field(default_factory=list)


class StateGoal(Protocol):
    """``goal("method call, UniFFI / ours", 46.7, at_least=25)``."""

    def __call__(
        self,
        what: str,
        measured: float,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        unit: str = "×",
    ) -> None:
        """Note a measured value; give one limit."""


GOALS: Final = pytest.StashKey[Goals]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-goals", action="store_true", help=("fail when a benchmark misses its goal")
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[GOALS] = Goals()


@pytest.fixture
def goal(request: pytest.FixtureRequest) -> StateGoal:
    goals, strict = request.config.stash[GOALS], request.config.getoption("--strict-goals")

    def state(
        what: str,
        measured: float,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        unit: str = "×",
    ) -> None:
        limit = at_most if at_most is not None else at_least
        assert limit is not None
        is_met = measured <= limit if at_most is not None else measured >= limit
        goals.stated.append(
            Goal(
                what,
                measured,
                limit,
                (f"{'≤' if at_most is not None else '≥'} {limit:g} {unit}"),
                is_met,
            )
        )
        assert is_met or not strict, f"{what}: {measured:.3g} {unit}"

    return state


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    stated = config.stash[GOALS].stated
    if not stated:
        return
    terminalreporter.section("goals")
    for each in stated:
        terminalreporter.write_line(
            f"{'met   ' if each.is_met else 'MISSED'}  "
            f"{each.measured:>10.3g}  {each.unit:<12}  {each.what}"
        )
