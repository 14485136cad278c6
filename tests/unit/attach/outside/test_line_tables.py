"""Lines of instructions, compared with the interpreter's own answer."""

from __future__ import annotations

import asyncio.tasks
import inspect
import textwrap
import types
from collections.abc import Iterator

import pytest

from inspector.attach.outside.line_tables import (
    line_by_locations,
    line_by_spans,
    line_by_steps,
)

MODULES = (asyncio.tasks, inspect, textwrap)


def code_in(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from code_in(each)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_each_instruction_has_the_line_that_the_interpreter_says(module: types.ModuleType) -> None:
    checked = 0
    for code in code_in(compile(inspect.getsource(module), "module.py", "exec")):
        for start, end, line in code.co_lines():
            for instruction in range(start, end, 2):
                table, first = code.co_linetable, code.co_firstlineno
                assert line_by_locations(table, first, instruction) == (line or 0)
                checked += 1
    assert checked > 500


def test_steps_and_spans_are_read_as_their_versions_write_them() -> None:
    steps = bytes([0, 1, 6, 2, 10, 256 - 1])
    assert [line_by_steps(steps, 10, at) for at in (0, 5, 6, 15, 16)] == [11, 11, 13, 13, 12]
    spans = bytes([4, 1, 6, 128, 2, 256 - 1])
    assert [line_by_spans(spans, 10, at) for at in (0, 3, 4, 10, 12)] == [11, 11, 0, 10, 0]


@pytest.mark.parametrize("line_of", [line_by_steps, line_by_spans, line_by_locations])
def test_a_damaged_table_is_no_error(line_of: object) -> None:
    assert callable(line_of)
    for table in (b"", b"\x00", b"\xff" * 9, bytes(range(256))):
        for instruction in (-2, 0, 7, 1 << 40):
            assert isinstance(line_of(table, 3, instruction), int)
