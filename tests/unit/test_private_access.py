"""Tests read what a person or a caller reads.

Accesses to private names of the product are counted, and the count only falls.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
MOST: Final = 1
"""Accesses in the whole of the tests; lower it with each one that goes."""
FOREIGN: Final = MappingProxyType(
    {
        "_handle": (
            "UniFFI's generated proxies and the declared class of tests keep their native "
            "number there; only tests can break it"
        ),
        "_let_go": (
            "the stepped program of the tests calls its own method so, because its public "
            "methods are its steps"
        ),
        "_stopping": (
            "asyncio's event loop sets it in its own stop(), which other threads may not call"
        ),
    }
)
"""Private names that the product defines too, but that tests read of code of other projects, with
the reason."""
BY_NAME: Final = ("getattr", "setattr", "delattr", "hasattr", "attrgetter")
"""Functions, also of ``monkeypatch``, that take the name of an attribute as text."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def private_names(source: str) -> Iterator[str]:
    """Private functions, methods, class variables and attributes of ``self`` that a module
    defines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_private(node.name):
            yield node.name
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and is_private(node.attr)
        ):
            yield node.attr
        elif isinstance(node, ast.ClassDef):
            for line in node.body:
                targets = (
                    line.targets
                    if isinstance(line, ast.Assign)
                    else [line.target]
                    if isinstance(line, ast.AnnAssign)
                    else []
                )
                yield from (
                    target.id
                    for target in targets
                    if isinstance(target, ast.Name) and is_private(target.id)
                )


def accesses(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of each private attribute that is read or set of another object, also where
    the name is a text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
                yield node.lineno, node.attr
        elif isinstance(node, ast.Call):
            called = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            texts = [
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if called in BY_NAME:
                yield from (
                    (node.lineno, name)
                    for text in texts
                    if is_private(name := text.rpartition(".")[2])
                )


def sources(folder: str) -> dict[Path, str]:
    return {
        path: path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py"))
    }


@pytest.fixture(scope="module")
def ours() -> set[str]:
    """Private names that the product defines."""
    return {name for source in sources("inspector").values() for name in private_names(source)}


@pytest.fixture(scope="module")
def read() -> list[tuple[Path, int, str]]:
    """Every access of the tests: file, line and name."""
    return [
        (path.relative_to(ROOT), *access)
        for path, source in sources("tests").items()
        for access in accesses(source)
    ]


def test_tests_reach_into_private_names_of_the_product_no_more_often_than_before(
    ours: set[str], read: list[tuple[Path, int, str]]
) -> None:
    found = [f"{path}:{line} {name}" for path, line, name in read if name in ours - FOREIGN.keys()]
    assert len(found) <= MOST, (
        "read the window by its names (tests/helpers/reading.py), or make the name public:\n"
    ) + "\n".join(found)


def test_each_foreign_name_is_still_read_and_is_a_name_of_the_product_too(
    ours: set[str], read: list[tuple[Path, int, str]]
) -> None:
    assert FOREIGN.keys() <= ours & {name for _, _, name in read}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("pane._timer.stop()", ["_timer"]),
        ("self._timer.stop(); cls._made", []),
        ("pane.__class__.__name__", []),
        (
            "monkeypatch.setattr(stacks, '_threads', None); getattr(strip, '_live')",
            ["_threads", "_live"],
        ),
        ("monkeypatch.setattr('inspector.attach.stacks._threads', None)", ["_threads"]),
        ("print('_threads')", []),
    ],
)
def test_an_access_is_found_in_each_form(source: str, names: list[str]) -> None:
    assert [name for _, name in accesses(source)] == names


def test_what_a_module_defines_is_found_in_each_form() -> None:
    source = (
        "def _stack(): ...\nclass A:\n    _kind: int\n    _made = 0\n    def _read(self):\n "
        "       self._timer = self._other\n"
    )
    assert sorted(private_names(source)) == ["_kind", "_made", "_read", "_stack", "_timer"]
