"""The pytest plugin: ``--arc-leaks`` fails the tests that leave native handles alive.

Loaded by every pytest run of the environment, so it does nothing, and imports nothing of the tool,
unless it is asked to. It is ``_arc_inspector.leaks.plugin`` there: the tests may be of a program
that has a module ``inspector``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

MOST_RUNS = 1000


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("arc-inspector", "native handles that outlive their test")
    try:
        group.addoption(
            "--arc-leaks",
            action="store_true",
            help=("fail tests after which native handles are alive that were not before"),
        )
    except ValueError:
        return  # pytest has loaded this under its other name too
    group.addoption(
        "--arc-leaks-allow",
        action="append",
        default=[],
        metavar="TYPE[@SITE]=REASON",
        help="do not fail for these; more in [[tool.arc-inspector.leaks]] of pyproject.toml",
    )
    group.addoption(
        "--arc-leaks-repeat",
        type=_count,
        default=1,
        metavar="N",
        help="run a test that leaks N times, and report only what grows each time",
    )
    group.addoption(
        "--arc-leaks-json", default="", metavar="FILE", help="write the findings as JSON"
    )


@pytest.fixture
def arc_leaks(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Checks of blocks inside a test.

    `with arc_leaks(): …` fails the test when handles made in the block outlive it.
    """
    from inspector.leaks.inside import LeakChecks

    checks = LeakChecks(request)
    yield checks
    checks.close()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch, when asked to."""
    config.addinivalue_line(
        "markers",
        "arc_leaks(allow='TYPE@SITE', at_most=N, reason='…'): native handles that may outlive it",
    )
    if config.getoption("arc_leaks") and not config.pluginmanager.hasplugin("arc-leaks"):
        from inspector.errors import InspectorError
        from inspector.leaks.watch import LeakWatch

        try:
            config.pluginmanager.register(LeakWatch(config), "arc-leaks")
        except InspectorError as error:
            raise pytest.UsageError(f"arc-inspector: {error}") from error


def _count(text: str) -> int:
    """A number of runs. Raises ``ValueError``, which pytest says."""
    if not 1 <= int(text) <= MOST_RUNS:
        raise ValueError(f"a number from 1 to {MOST_RUNS}")
    return int(text)
