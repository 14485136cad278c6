"""The pytest plugin: ``--arc-leaks`` fails the tests that leave native handles alive.

Loaded by every pytest run of the environment, so it does nothing, and imports nothing of the tool,
unless it is asked to. It is ``_arc_inspector.leaks.plugin`` there: the tests may be of a program
that has a module ``inspector``.
"""

from __future__ import annotations

import pytest


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
        "--arc-leaks-json", default="", metavar="FILE", help="write the findings as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch, when asked to."""
    if config.getoption("arc_leaks") and not config.pluginmanager.hasplugin("arc-leaks"):
        from inspector.errors import InspectorError
        from inspector.leaks.watch import LeakWatch

        try:
            config.pluginmanager.register(LeakWatch(config), "arc-leaks")
        except InspectorError as error:
            raise pytest.UsageError(f"arc-inspector: {error}") from error
