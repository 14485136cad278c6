from __future__ import annotations

from pathlib import Path

import pytest

from inspector.errors import UsageError
from inspector.leaks.allow import Allowance, AllowList, parse_word, read_allow_list
from inspector.leaks.leak import Leak, leak_of, leaks_text

LEAK = Leak(
    "Amount",
    3,
    ("app/cache.py:8 in remember", "tests/test_a.py:14 in test_x"),
    owner="tests/test_a.py::test_x",
)


@pytest.mark.parametrize(
    ("allowance", "covers"),
    [
        (Allowance("r"), True),
        (Allowance("r", type="Am*"), True),
        (Allowance("r", type="amount"), False),
        (Allowance("r", site="cache.py"), True),
        (Allowance("r", site="test_x"), True),
        (Allowance("r", site="other.py"), False),
        (Allowance("r", test="tests/test_a.py::*"), True),
        (Allowance("r", test="tests/test_b.py::*"), False),
        (Allowance("r", at_most=3), True),
        (Allowance("r", at_most=2), False),
    ],
)
def test_an_allowance_covers_a_leak_when_all_of_it_matches(
    allowance: Allowance, covers: bool
) -> None:
    assert allowance.covers(LEAK) is covers


def test_what_is_allowed_keeps_the_reason() -> None:
    bad, allowed = AllowList([Allowance("known", type="Amount")]).judge(
        [LEAK, Leak("Journal", 1, ())]
    )
    assert [leak.type for leak in bad] == ["Journal"]
    assert [(leak.type, leak.reason) for leak in allowed] == [("Amount", "known")]


def test_a_word_names_type_place_and_reason() -> None:
    assert parse_word("Amo*@cache.py= kept = on purpose") == Allowance(
        "kept = on purpose", type="Amo*", site="cache.py"
    )


@pytest.mark.parametrize("word", ["", "Amount", "Amount=", "=reason", "@site=reason", "Amount=  "])
def test_a_word_without_type_or_reason_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="an allowed leak is written"):
        parse_word(word)


def test_the_project_lists_what_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[[tool.arc-inspector.leaks]]\ntype = "Amount"\nreason = "a cache"\nat_most = 3\n'
    )
    assert read_allow_list(tmp_path, []).judge([LEAK])[0] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('type = "A"', "has no reason"),
        ('type = 3\nreason = "r"', "type of an allowed leak is not a text"),
        ('at_most = "3"\nreason = "r"', "at_most of an allowed leak is not a number"),
        ('reasn = "r"', "reasn is not understood"),
    ],
)
def test_what_is_wrong_in_the_project_is_one_line_that_names_the_file(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[[tool.arc-inspector.leaks]]\n{text}\n")
    with pytest.raises(UsageError, match=words) as raised:
        read_allow_list(tmp_path, [])
    assert str(tmp_path) in str(raised.value)


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.arc-inspector]\nleaks = 3\n")
    with pytest.raises(UsageError, match="not a list of tables"):
        read_allow_list(tmp_path, [])


def test_a_leak_goes_through_json() -> None:
    assert leak_of(LEAK.value()) == LEAK


def test_the_text_of_a_leak_has_its_whole_stack() -> None:
    assert leaks_text([LEAK, Leak("Journal", 1, (), is_open=True)]).splitlines() == [
        "  3 × Amount",
        "      app/cache.py:8 in remember",
        "      tests/test_a.py:14 in test_x",
        "  1 × Journal, never closed",
        "      made at a place that was not recorded",
    ]
