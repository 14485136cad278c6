"""Leads: the Rust libraries of a process whose classes are not followed."""

from __future__ import annotations

import os
from pathlib import Path

from inspector.model.findings.leads import Hidden, Lead, LibraryLead
from inspector.session.adapter_answers import LibraryClasses
from inspector.session.leads import lead
from inspector.wire.pyo3_libraries import PIECE_BYTES, binding_of, pyo3_library

MARKS = b"PanicException" + b"pyo3_runtime"


def library(folder: Path, name: str, text: bytes) -> str:
    path = folder / name
    path.write_bytes(text)
    return str(path)


def test_libraries_are_told_with_their_maker_their_classes_and_living_objects(
    tmp_path: Path,
) -> None:
    version = b"pyo3-0.29.3/src"
    rust = library(tmp_path, "rpds.cpython-311.so", b"x" * (PIECE_BYTES - 5) + MARKS + version)
    cython = library(tmp_path, "etree.so", b"PanicException alone, cython_runtime")
    gone = str(tmp_path / "gone.so")
    told = lead(
        os.getpid(),
        {
            cython: LibraryClasses(5, "lxml.etree.A", 900, 900, 2, "lxml.etree"),
            rust: LibraryClasses(8, "rpds.HashTrieMap", 320, 1204, 0, "rpds.rpds"),
            gone: LibraryClasses(3, "g.A", 0, 0, 3, ""),
            library(tmp_path, "all.so", MARKS): LibraryClasses(0, "", 0),
        },
    )
    assert [each.line for each in told.libraries] == [
        "rpds (PyO3 0.29.3): 8 classes, about 1,204 objects alive",
        "lxml.etree (Cython): 5 classes, about 900 objects alive, objects of 2 not counted",
        "gone (native): 3 classes, objects not counted",
    ]
    assert told.headline == f"Not followed: {told.libraries[0].line}, and 2 more libraries"
    assert told.names == "rpds and 2 more libraries"
    assert told.evidence[-1] == (
        'To follow it: [[proxy]] class = "rpds.rpds.*" in adapters.toml, '
        "or now: arc-inspector adapters PID --follow rpds.rpds"
    )


def test_the_maker_of_a_library_is_told_by_its_texts(tmp_path: Path) -> None:
    texts = {b"pybind11::object": "pybind11", b"nanobind": "nanobind", b"printf": "C"}
    for number, (text, maker) in enumerate(texts.items()):
        path = tmp_path / f"{number}.so"
        path.write_bytes(b"x" * (PIECE_BYTES - 3) + text)
        assert binding_of(path) == maker
    assert binding_of(tmp_path / "none.so") == ""


def test_one_class_is_not_followed_in_the_singular() -> None:
    one = Lead((LibraryLead("rpds", "C", 1, 1),))
    assert one.headline == "Not followed: rpds (C): 1 class, about 1 object alive"
    assert one.evidence == ()
    assert Lead().headline == ""


def test_hidden_classes_are_counted_and_named_and_refused_classes_say_why() -> None:
    hidden = Hidden((("a.Kind", 3), ("a.Mode", 2)), ("a.B: too odd",))
    assert hidden.headline == "2 constant classes are hidden"
    assert hidden.evidence == (
        "2 constant classes are hidden: a.Kind (3), a.Mode (2)",
        "Refused: a.B: too odd",
    )
    assert Hidden((("a.Kind", 3),)).headline == "1 constant class is hidden"
    assert (Hidden().headline, Hidden().evidence) == ("", ())


def test_a_library_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    path = Path(library(tmp_path, "a.so", b"nothing"))
    assert pyo3_library(path) is None
    library(tmp_path, "new.so", MARKS)
    (tmp_path / "new.so").rename(path)
    assert pyo3_library(path) is not None
