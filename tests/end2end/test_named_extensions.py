"""Real extensions of every kind: a class that a person names has a row for each of its objects."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import TARGETS

PACKAGES = {
    "liburlparser": ("liburlparser.Url", "liburlparser==2.1.0"),
    "duckdb": ("_duckdb.DuckDBPyConnection", ""),
    "zmq": ("zmq.backend.cython._zmq.Frame", ""),
    "lxml": ("lxml.etree._Element", "lxml==6.1.3"),
    "lmdb": ("lmdb.cpython.Transaction", "lmdb==3.0.0"),
    "pygit2": ("pygit2._pygit2.Blob", "pygit2==1.21.0"),
}
"""Made by nanobind, pybind11, Cython (twice), and in C (twice); a package of our own environment
has no version here."""


def told(package: str, cls: str) -> list[dict[str, Any]]:
    """The state of the declaration for older objects, after births, and after ends."""
    requirement = PACKAGES[package][1]
    try:
        folders = [str(package_folder(requirement))] if requirement else []
    except NoPackageError as error:
        pytest.skip(str(error))
    program = [sys.executable, str(TARGETS / "named_packages.py"), package, cls, *folders]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_rows_of_a_named_class_are_the_objects_that_the_program_has(package: str) -> None:
    older, born, ended = told(package, PACKAGES[package][0])
    assert (older["held"], born["held"], ended["held"]) == (100, 300, 150)
    for each in (older, born, ended):
        assert (each["rows"], each["followed_by"]) == (each["held"], "extension")
        assert (each["trouble"], each["waits_for"]) == ("", "")


def test_every_class_of_a_library_is_followed_when_its_module_is_named() -> None:
    older, born, ended = told("lxml", "lxml.etree.*")
    assert {each["followed_by"] for each in (older, born, ended)} == {"extension"}
    # an element has its document
    assert born["rows"] - older["rows"] == 2 * (born["held"] - older["held"])
    assert born["rows"] - ended["rows"] == 2 * (born["held"] - ended["held"])
