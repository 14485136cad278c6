from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from inspector.errors import UsageError
from inspector.wire.paths import Condition, Path

THING = SimpleNamespace(
    handle=SimpleNamespace(value=7), none=None, fileno=lambda: -1, closed=False, fail=lambda: 1 / 0
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("handle.value", 7),
        ("fileno()", -1),
        ("none.value.more", None),
        ("handle.value.bit_length()", 3),
    ],
)
def test_a_path_reads_attributes_and_calls(text: str, value: Any) -> None:
    assert Path.parse(text).read(THING) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "a b",
        "a()()",
        "a[0]",
        "f(1)",
        "__import__('os')",
        "a;b",
        "a." * 20 + "b",
        "1a",
    ],
)
def test_what_is_no_path_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="not a path of attributes"):
        Path.parse(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("closed", False),
        ("not closed", True),
        ("none is None", True),
        ("handle is None", False),
        ("fileno() == -1", True),
        ("handle.value == 8", False),
        ("fail() raises", True),
        ("closed raises", False),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    assert Condition.parse(text).holds(THING) is holds


@pytest.mark.parametrize(
    "text", ["", "not", "a ==", "a == b", "a is 3", "not a == 3", "a and b", "a == 1 or b", "a > 3"]
)
def test_what_is_no_condition_is_one_line(text: str) -> None:
    with pytest.raises(UsageError):
        Condition.parse(text)


def test_a_condition_passes_on_what_attributes_raise() -> None:
    with pytest.raises(ZeroDivisionError):
        Condition.parse("fail()").holds(THING)
