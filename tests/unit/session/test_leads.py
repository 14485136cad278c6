"""Leads: the Rust libraries of a process whose classes are not followed."""

from __future__ import annotations

import os
from pathlib import Path

from inspector.model.findings.leads import Lead
from inspector.session.adapter_answers import LibraryClasses
from inspector.session.leads import lead
from inspector.wire.pyo3_libraries import PIECE_BYTES, pyo3_library

MARKS = b"PanicException" + b"pyo3_runtime"


def library(folder: Path, name: str, text: bytes) -> str:
    path = folder / name
    path.write_bytes(text)
    return str(path)


def test_libraries_with_both_marks_of_pyo3_are_named_with_their_most_frequent_class(
    tmp_path: Path,
) -> None:
    rust = library(tmp_path, "rpds.cpython-311.so", b"x" * (PIECE_BYTES - 5) + MARKS)
    other = library(tmp_path, "lxml.so", b"PanicException alone")
    gone = str(tmp_path / "gone.so")
    found = {
        rust: LibraryClasses(9, "rpds.HashTrieMap", 320),
        other: LibraryClasses(5, "lxml.A", 900),
        gone: LibraryClasses(3, "g.A", 0),
    }
    told = lead(os.getpid(), found)
    assert told.headline == "9 classes of 1 Rust library are not followed (rpds)"
    assert told.evidence[0] == "About 320 objects of rpds.HashTrieMap live"
    assert told.evidence[1].startswith(
        "To follow a class declare it, such as [[proxy]] class = "
        '"rpds.HashTrieMap", in adapters.toml'
    )
    two = {
        rust: LibraryClasses(1, "", 0),
        library(tmp_path, "b.so", MARKS): LibraryClasses(2, "b.B", 0),
    }
    assert lead(os.getpid(), two) == Lead(3, ("rpds", "b"), "b.B", 0)
    assert lead(os.getpid(), two).headline == (
        "3 classes of 2 Rust libraries are not followed (rpds, b)"
    )


def test_one_class_is_not_followed_in_the_singular() -> None:
    assert Lead(1, ("rpds",)).headline == "1 class of 1 Rust library is not followed (rpds)"
    assert len(Lead(1, ("rpds",)).evidence) == 1


def test_there_is_no_lead_where_nothing_is_rust(tmp_path: Path) -> None:
    assert (
        lead(os.getpid(), {library(tmp_path, "a.so", b""): LibraryClasses(2, "a.A", 9)}) == Lead()
    )
    assert (lead(os.getpid(), {}).headline, lead(os.getpid(), {}).evidence) == ("", ())


def test_a_library_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = Path(library(tmp_path, "a.so", b"nothing"))
    assert pyo3_library(path) is None
    library(tmp_path, "new.so", MARKS)
    (tmp_path / "new.so").rename(path)
    assert pyo3_library(path) is not None
