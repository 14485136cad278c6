"""A package of UniFFI 0.11, whose handles are keys of a map inside the library.

Rows with ages and sites, counts unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inspector.attach.outside.look import look
from inspector.attach.outside.seen import UNKNOWN
from tests.helpers.outside import counts as outside_counts
from tests.helpers.targets import ROOT, Target, start_target
from tests.helpers.watching import counts, ended, watched

PACKAGE = ROOT / "native" / "peers" / "uniffi_oldest" / "target" / "python"
NOT_KNOWN = (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not PACKAGE.exists(), reason="not built: ./dev soak does it"),
]


@contextmanager
def program(*options: str) -> Iterator[Target]:
    env = {"PYTHONPATH": f"{ROOT}:{PACKAGE}", "LD_LIBRARY_PATH": str(PACKAGE)}
    with start_target("oldest_steps", *options, env=env) as target:
        yield target


def test_objects_are_rows_from_birth_to_release_and_their_counts_are_unknown() -> None:
    with program("early") as target, watched(target.ready["segment"]) as watch:
        target.ask("make 3")
        snapshot = watch.until(counts("Counter"), [NOT_KNOWN] * 5)
        sites = [
            snapshot.sites[index].short()
            for index in snapshot.handles.created_sites.tolist()
            if index
        ]
        assert sites == ["oldest_steps.py:17 make.<locals>.<genexpr>"] * 3
        assert target.ask("bump") == 7
        target.ask("drop 4")
        watch.until(counts("Counter"), [NOT_KNOWN])
        watch.until(ended("Counter"), ["RELEASED"] * 4)
        assert target.finish() == 0
        assert target.errors() == ""


def test_stopping_leaves_the_class_as_it_was() -> None:
    with program("none") as target:
        before = target.ask("attributes")
        target.ask("start")
        assert target.ask("attributes") != before
        target.ask("stop")
        assert target.ask("attributes") == before


def test_they_are_found_from_outside_too() -> None:
    with program("none") as target:
        target.ask("make 3")
        assert outside_counts(look(target.pid, with_stacks=False), "Counter") == {
            (UNKNOWN, UNKNOWN): 3
        }
