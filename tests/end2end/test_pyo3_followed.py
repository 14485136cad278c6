"""Objects of Rust extension modules, followed by an agent that is brought into a running program.

The program knows nothing of the inspector, and nothing is declared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.helpers.command_line import run_command
from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import TARGETS, Target, start_target
from tests.helpers.unprepared import detach, interpreter

PACKAGES = ("rpds-py==0.20.0", "rustworkx==0.16.0", "tokenizers==0.21.0")
"""Unknown to the collector; known to it, and derived from; classes of one name in two modules."""
ABI3 = PACKAGES[1:]
"""The same files for each interpreter from 3.9 on."""
MINORS = ("3.11", "3.12", "3.13", "3.14")


def start(packages: tuple[str, ...], minor: str = "") -> Iterator[Target]:
    """The program, without an environment of ours."""
    try:
        folders = [str(package_folder(each)) for each in packages]
    except NoPackageError as error:
        pytest.skip(str(error))
    python = interpreter(minor) if minor else sys.executable
    with start_target("pyo3_steps", *folders, python=python, env={"PYTHONPATH": ""}) as running:
        yield running


@pytest.fixture
def target() -> Iterator[Target]:
    yield from start(PACKAGES)


def inject(target: Target) -> None:
    done = run_command("attach", target.pid, "--inject", "--headless", "--keep")
    assert done.status == 0, done


def living(target: Target) -> Counter[str]:
    """Rows by type."""
    done = run_command("handles", target.pid, "--json", "--limit", "0")
    return Counter(each["type"] for each in done.json["handles"] if each["kind"] == "pyo3")


def test_older_objects_and_later_births_and_ends_are_counted_as_the_program_does(
    target: Target,
) -> None:
    target.ask("make rpds.HashTrieMap 700")
    target.ask("churn rpds.HashTrieMap 5000")
    target.ask("make rustworkx.PyGraph 30")
    inject(target)
    assert living(target) == {"HashTrieMap": 700, "PyGraph": 30}
    target.ask("returned rpds.HashTrieMap 50")
    target.ask("make tokenizers.models.WordPiece 4")
    target.ask("make tokenizers.decoders.WordPiece 7")
    target.ask("churn rustworkx.PyGraph 500")
    target.ask("drop rpds.HashTrieMap 600")
    target.ask("drop rustworkx.PyGraph 10")
    assert living(target) == {"HashTrieMap": 150, "PyGraph": 20, "WordPiece": 11}
    detach(target.pid)
    target.ask("drop rpds.HashTrieMap 150")
    target.ask("make rpds.HashTrieMap 3")
    inject(target)
    assert living(target) == {"HashTrieMap": 3, "PyGraph": 20, "WordPiece": 11}


@pytest.mark.parametrize("minor", MINORS)
def test_each_interpreter_s_objects_are_followed(minor: str) -> None:
    for target in start(ABI3, minor):
        target.ask("make rustworkx.PyDiGraph 100")
        target.ask("churn rustworkx.PyDiGraph 300")
        target.ask("derive rustworkx.PyDiGraph 12")
        inject(target)
        assert living(target) == {"PyDiGraph": 100, "Derived": 12}
        target.ask("make tokenizers.models.WordPiece 30")
        target.ask("drop rustworkx.PyDiGraph 40")
        found = living(target)
        assert found["WordPiece"] == 30
        assert found["PyDiGraph"] + found["Derived"] == 72


PINNED: dict[str, tuple[str, ...]] = {
    "polars": ("polars==2.1.0", "polars-runtime-32==2.1.0"),
    "tokenizers": (),
    "pydantic_core": (),
    "rustworkx": ("rustworkx==0.16.0",),
    "pycrdt": ("pycrdt==0.14.13",),
    "cryptography": ("cryptography==50.0.2",),
    "rpds": ("rpds-py==0.20.0",),
    "blake3": ("blake3==1.0.11",),
    "y_py": ("y-py==0.6.2",),
}
"""Packages of our own environment have none."""


@pytest.mark.parametrize("package", PINNED)
def test_the_rows_of_a_package_are_the_objects_that_the_program_has(package: str) -> None:
    try:
        folders = [str(package_folder(each)) for each in PINNED[package]]
    except NoPackageError as error:
        pytest.skip(str(error))
    program = [sys.executable, str(TARGETS / "pyo3_packages.py"), package, *folders]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    older, born, ended = map(json.loads, done.stdout.splitlines())
    assert older["held"] < born["held"] > ended["held"] > 0
    for each in (older, born, ended):
        assert (each["without"], each["differing"]) == (0, {})
