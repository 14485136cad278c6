"""Leads: which libraries of a process are Rust's and have classes that nobody follows."""

from __future__ import annotations

import os
from pathlib import Path

from inspector.session.leads import PIECE_BYTES, lead


def library(folder: Path, name: str, text: bytes) -> str:
    path = folder / name
    path.write_bytes(text)
    return str(path)


def test_libraries_that_hold_both_marks_of_pyo3_are_named(tmp_path: Path) -> None:
    rust = library(tmp_path, "rpds.cpython-311.so", b"x" * (PIECE_BYTES - 5) + b"PanicException" + b"pyo3_runtime")
    other = library(tmp_path, "lxml.so", b"PanicException alone")
    found = {rust: 9, other: 5, str(tmp_path / "gone.so"): 3}
    assert lead(os.getpid(), found) == "9 classes of 1 Rust library are not followed (rpds): declare those that matter"
    two = {rust: 1, library(tmp_path, "b.so", b"pyo3_runtime PanicException"): 2}
    assert lead(os.getpid(), two).startswith("3 classes of 2 Rust libraries are")


def test_there_is_no_lead_where_nothing_is_rust(tmp_path: Path) -> None:
    assert lead(os.getpid(), {library(tmp_path, "a.so", b""): 2}) == ""
    assert lead(os.getpid(), {}) == ""
