"""Objects of Rust extension modules, seen from outside in programs that nobody prepared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from inspector.attach.outside.seen import UNKNOWN, Look
from tests.helpers.command_line import run_command
from tests.helpers.outside import number_of, rows, seen
from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import Target, start_target
from tests.helpers.unprepared import interpreter

PACKAGES = ("rpds-py==0.20.0", "rustworkx==0.16.0", "tokenizers==0.21.0")
"""Unknown to the collector; known to it; classes of one name in several modules."""


ABI3 = "tokenizers==0.21.0"
"""The same file for each interpreter from 3.9 on."""
MINORS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


@pytest.fixture
def target() -> Iterator[Target]:
    try:
        folders = [str(package_folder(each)) for each in PACKAGES]
    except NoPackageError as error:
        pytest.skip(str(error))
    with start_target("pyo3_steps", *folders) as running:
        yield running


def living(found: Look) -> dict[tuple[str, str], int]:
    """Rows by module and name."""
    return {
        (kind.origin, kind.name): int(np.count_nonzero(found.rows.types == at))
        for at, kind in enumerate(found.types)
        if kind.kind == "pyo3"
    }


def test_living_objects_are_found_one_by_one_and_dead_ones_are_not(target: Target) -> None:
    target.ask("make rpds.HashTrieMap 700")
    target.ask("returned rpds.HashTrieMap 50")
    target.ask("make rpds.List 40")
    target.ask("make rustworkx.PyGraph 30")
    target.ask("churn rpds.HashTrieMap 5000")
    target.ask("churn rustworkx.PyGraph 500")
    assert living(seen(target)) == {
        ("rpds", "HashTrieMap"): 750,
        ("rpds", "List"): 40,
        ("rustworkx", "PyGraph"): 30,
    }
    target.ask("drop rpds.HashTrieMap 749")
    target.ask("drop rustworkx.PyGraph 10")
    target.ask("drop rpds.List 40")
    assert living(seen(target)) == {("rpds", "HashTrieMap"): 1, ("rustworkx", "PyGraph"): 20}


def test_a_class_that_the_program_derived_is_found_by_its_own_name(target: Target) -> None:
    target.ask("make rustworkx.PyDiGraph 3")
    target.ask("derive rustworkx.PyDiGraph 12")
    found = number_of(seen(target))
    assert (found["PyDiGraph"], found["Derived"]) == (3, 12)


def test_classes_of_one_name_stay_apart(target: Target) -> None:
    target.ask("make tokenizers.models.WordPiece 4")
    target.ask("make tokenizers.decoders.WordPiece 7")
    found = living(seen(target))
    assert found["tokenizers.models", "WordPiece"] == 4
    assert found["tokenizers.decoders", "WordPiece"] == 7


def test_nothing_is_claimed_of_counts_that_are_not_known(target: Target) -> None:
    target.ask("make rpds.HashTrieMap 5")
    found = seen(target)
    lines = rows(found, "HashTrieMap")
    assert set(found.rows.strong[lines].tolist()) == {UNKNOWN}
    assert len(set(found.rows.addresses[lines].tolist())) == 5
    done = run_command("handles", target.pid, "--read-only", "--json")
    assert {each["strong"] for each in done.json["handles"]} == {None}


def test_constants_of_a_library_are_not_listed_and_a_note_says_so(target: Target) -> None:
    target.ask("load rustworkx")
    found = seen(target)
    assert living(found) == {}
    (note,) = [note for note in found.notes if "constants" in note]
    assert "are not listed" in note
    shown = run_command("handles", target.pid, "--read-only")
    assert note in shown.out + shown.err


def test_growth_of_a_class_that_nobody_declared_is_seen_from_outside(target: Target) -> None:
    target.ask("make rpds.HashTrieMap 100")
    first = living(seen(target))["rpds", "HashTrieMap"]
    target.ask("make rpds.HashTrieMap 23")
    assert living(seen(target))["rpds", "HashTrieMap"] - first == 23


@pytest.mark.parametrize("minor", MINORS)
def test_tuples_that_begin_with_a_class_are_no_instances_of_it(minor: str) -> None:
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no CPython {minor} is to be had")
    try:
        folders = [str(package_folder(each)) for each in PACKAGES[1:]]
    except NoPackageError as error:
        pytest.skip(str(error))
    with start_target("pyo3_steps", *folders, python=python, env={"PYTHONPATH": ""}) as target:
        target.ask("make rustworkx.PyDiGraph 2")
        target.ask("derive rustworkx.PyDiGraph 3")
        target.ask("make tokenizers.models.WordPiece 4")
        for name in ("rustworkx.PyDiGraph", "tokenizers.models.WordPiece"):
            target.ask(f"mention {name} 2000")
        found = number_of(seen(target))
        assert (found["PyDiGraph"], found["Derived"], found["WordPiece"]) == (2, 3, 4)


@pytest.mark.parametrize("minor", MINORS)
def test_each_interpreter_s_allocator_tells_the_living_from_the_dead(minor: str) -> None:
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no CPython {minor} is to be had")
    try:
        folder = str(package_folder(ABI3))
    except NoPackageError as error:
        pytest.skip(str(error))
    with start_target("pyo3_steps", folder, python=python, env={"PYTHONPATH": ""}) as target:
        target.ask("make tokenizers.models.WordPiece 300")
        target.ask("churn tokenizers.models.WordPiece 3000")
        target.ask("drop tokenizers.models.WordPiece 123")
        assert living(seen(target))["tokenizers.models", "WordPiece"] == 177


def test_objects_of_another_extension_are_counted_from_outside_and_said_not_to_be_listed() -> None:
    try:
        folder = str(package_folder("liburlparser==2.1.0"))
    except NoPackageError as error:
        pytest.skip(str(error))
    with start_target("extension_steps", folder, "liburlparser") as target:
        target.ask("url 20")
        (before,) = [each for each in seen(target).libraries if "liburlparser" in each.path]
        target.ask("url 300")
        (library,) = [each for each in seen(target).libraries if "liburlparser" in each.path]
        assert (library.binding, library.alive - before.alive) == ("nanobind", 300)
        shown = run_command("handles", target.pid, "--read-only")
        line = f"(nanobind): {library.classes:,} classes, about {library.alive:,} objects alive"
        assert "Not followed: " in shown.out
        assert line in shown.out
        assert target.finish() == 0
