"""Looks from outside, in the words of tests."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inspector.attach.outside.look import look
from inspector.attach.outside.seen import Look
from tests.helpers.targets import Target, start_target

Count = tuple[int, int, int]


def package_home(name: str) -> Path:
    """The folder in which a package of our environment lies."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1]


@contextmanager
def stepped(python: str) -> Iterator[Target]:
    """``tests/targets/outside_steps.py`` under an interpreter that need not be ours."""
    with start_target(
        "outside_steps", str(package_home("bdkpython")), python=python, env={"PYTHONPATH": ""}
    ) as target:
        yield target


def seen(target: Target) -> Look:
    """One look, without stacks."""
    return look(target.pid, with_stacks=False)


def rows(found: Look, name: str) -> list[int]:
    """Lines of the rows of a type."""
    kinds = [index for index, kind in enumerate(found.types) if kind.name == name]
    return [row for row, kind in enumerate(found.rows.types.tolist()) if kind in kinds]


def counts(found: Look, name: str) -> Counter[tuple[int, int]]:
    """Strong and weak counts of a type's rows, and how many rows have them."""
    return Counter(
        (int(found.rows.strong[row]), int(found.rows.weak[row])) for row in rows(found, name)
    )


def number_of(found: Look) -> dict[str, int]:
    """Rows by type."""
    return dict(Counter(found.types[kind].name for kind in found.rows.types.tolist()))


def handles_of(found: Look, name: str) -> set[int]:
    """Handles of a type's rows."""
    return {int(found.rows.handles[row]) for row in rows(found, name)}
