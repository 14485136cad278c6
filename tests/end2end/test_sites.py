"""The line that names a site is the program's own, whatever wrappers stand inside of it.

The whole stack stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command_line import run_command
from tests.helpers.tables import read_table
from tests.helpers.targets import TARGETS, Target, start_target

PACKAGE = """
class Session:
    def __init__(self):
        self._handle = id(self)


def connect():
    return _pooled()


def _pooled():
    return Session()
"""
DECLARATION = '[[proxy]]\nclass = "handlelib.Session"\nhandle = "_handle"\n'


@contextmanager
def wrapped(folder: Path, level: str) -> Iterator[Target]:
    """A target with an installed package that wraps the class that it defines."""
    installed = folder / "lib" / "python3.11" / "site-packages"
    (installed / "handlelib").mkdir(parents=True)
    (installed / "handlelib" / "__init__.py").write_text(PACKAGE)
    (folder / "mine.toml").write_text(DECLARATION)
    path = f"{installed}:{TARGETS.parents[1]}"
    with start_target(
        "site_steps",
        level,
        env={"PYTHONPATH": path, "ARC_INSPECTOR_ADAPTERS": str(folder / "mine.toml")},
    ) as target:
        yield target
        assert target.finish() == 0


def site(target: Target, kind: str) -> Any:
    """The birthplace of the only object of a type, as the command line shows it."""
    (row,) = [
        each
        for each in run_command("handles", target.pid, "--json").json["handles"]
        if each["type"] == kind
    ]
    return row["site"]


def line_of(text: str) -> int:
    """The line of the target that holds a text."""
    lines = (TARGETS / "site_steps.py").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize("level", ["history", "stacks"])
@pytest.mark.parametrize(
    ("step", "kind", "text"),
    [
        ("through_functools", "Amount", "singledispatch(bdkpython"),
        ("through_asyncio", "Amount", "loop.call_soon(lambda: KEPT"),
        ("through_a_bare_callback", "Amount", "loop.run_forever()  # bare"),
        ("through_the_package", "Session", "handlelib.connect()"),
    ],
)
def test_a_site_is_named_by_the_line_of_the_program(
    tmp_path: Path, level: str, step: str, kind: str, text: str
) -> None:
    with wrapped(tmp_path, level) as target:
        target.ask(step)
        place = site(target, kind)
        assert place.startswith(f"site_steps.py:{line_of(text)} {step}"), place


@pytest.mark.parametrize("level", ["history", "stacks"])
def test_the_wrappers_stay_in_the_stack(tmp_path: Path, level: str) -> None:
    with wrapped(tmp_path, level) as target:
        target.ask("through_the_package")
        (row,) = read_table(target.ready["segment"]).live("Session")
        inner, outer, caller = row.created[:3]
        assert inner.startswith("__init__.py:")
        assert inner.endswith(" _pooled")
        assert outer.endswith(" connect")
        assert caller.endswith(" through_the_package")
