"""Calls of hooks by every way in which an interpreter calls: vectors, tuples, bound methods."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import bdkpython as bdk
import pytest

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.wire import native_file
from inspector.wire.hooks import hooks

NEWER_THAN_3_11 = {"PyObject_Vectorcall", "PyMethod_New", "PyVectorcall_Call"}
"""Functions that CPython 3.11 has, and whose names its stable ABI does not have yet."""


def told(*words: Any, **named: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return words, named


@pytest.mark.parametrize(
    ("words", "named"),
    [((), {}), ((1, "two"), {}), ((1,), {"key": 2}), (tuple(range(12)), {"a": 1, "b": 2})],
)
def test_an_interpreter_without_vector_calls_gets_the_same_arguments(
    words: tuple[Any, ...], named: dict[str, Any]
) -> None:
    assert hooks.call_through_tuple(told, *words, **named) == (words, named)


def test_an_error_of_the_callable_passes_through_the_tuple() -> None:
    with pytest.raises(ZeroDivisionError):
        hooks.call_through_tuple(lambda: 1 // 0)


def test_a_hook_is_called_through_its_slot_as_through_its_vector(adapter: UniffiAdapter) -> None:
    hook = vars(bdk.Mnemonic)["__init__"]
    slot = type(hook).__call__
    by_name = bdk.Mnemonic.__new__(bdk.Mnemonic)
    slot(hook, by_name, word_count=bdk.WordCount.WORDS12)
    assert len(str(by_name).split()) == 12
    with pytest.raises(TypeError, match="keywords must be strings"):
        slot(hook, by_name, **{1: bdk.WordCount.WORDS12})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unexpected keyword"):
        slot(hook, by_name, **{f"word{number}": number for number in range(12)})


def test_a_hook_binds_to_an_instance_as_a_function_does(adapter: UniffiAdapter) -> None:
    hook = vars(bdk.Mnemonic)["__init__"]
    assert hook.__get__(None, bdk.Mnemonic) is hook
    made = bdk.Mnemonic.__new__(bdk.Mnemonic)
    bound = hook.__get__(made, bdk.Mnemonic)
    assert bound.__self__ is made
    bound(bdk.WordCount.WORDS12)
    assert len(str(made).split()) == 12


def test_the_library_names_no_function_that_the_stable_abi_lacks() -> None:
    listed = subprocess.run(
        ["nm", "-D", "--undefined-only", native_file()],  # noqa: S607 - found on the path
        capture_output=True,
        text=True,
        check=True,
    )
    named = {line.split()[-1] for line in listed.stdout.splitlines()}
    assert "PyObject_Call" in named
    assert named & NEWER_THAN_3_11 == set()
    assert Path(native_file()).name.endswith(".abi3.so")
