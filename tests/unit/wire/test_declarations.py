from __future__ import annotations

import json
from typing import Any

import pytest

from inspector.errors import UsageError
from inspector.wire.declaration_files import Declared, read_file, shipped_names
from inspector.wire.declarations import (
    MAX_DECLARATIONS,
    Declaration,
    declaration_value,
    parse_declaration,
    parse_declarations,
)

WHOLE: dict[str, Any] = {
    "class": "lib.wrap.Session",
    "name": "Session",
    "handle": "_handle.value",
    "released": "_handle is None",
    "close": "shut",
    "close_with": {"flush": True, "wait": 2},
    "owner_closes": True,
    "closed_by": ["end"],
    "part_of": "engine",
    "watch": ["open"],
    "made_by": ["lib.connect"],
    "hide": ["lib"],
    "library": "lib._native",
    "creates": ["session_new@1"],
    "clones": ["session_ref"],
    "frees": ["session_free"],
}


def test_a_whole_declaration_goes_over_the_socket_and_back() -> None:
    declared = parse_declaration(WHOLE, "a.toml")
    again = parse_declaration(json.loads(json.dumps(declaration_value(declared))), "a.toml")

    assert again == declared
    assert declared.close_signature == "shut(flush=True, wait=2)"


def test_a_class_is_enough() -> None:
    assert parse_declaration({"class": "lib.Session"}, "a.toml") == Declaration(
        cls="lib.Session", name="Session", source="a.toml"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"class": "Session"}, "not a dotted name"),
        ({"class": 3}, "not a short text"),
        ({"class": "lib.Se\nssion"}, "not a short text"),
        ({"handle": "a[0]"}, "not a path of attributes"),
        ({"released": "a > 3"}, "not a condition"),
        ({"close": "a.b"}, "not the name of a method"),
        ({"part_of": "a.b"}, "not the name of an attribute"),
        ({"close_with": {"flush": [1]}}, "argument flush is neither"),
        ({"close_with": 3}, "not a table of arguments"),
        ({"owner_closes": "yes"}, "neither true nor false"),
        ({"watch": "open"}, "not a short list"),
        ({"watch": ["x"] * 100}, "not a short list"),
        ({"made_by": ["connect"]}, "not a dotted name"),
        ({"hide": ["a-b"]}, "not the name of a module"),
        ({"frees": ["a b"]}, "not a function such as"),
        ({"relesaed": "x"}, "relesaed is not understood, there are class, name, handle"),
        ({"class": "x" * 500 + ".y"}, "not a short text"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_class(change: dict[str, Any], words: str) -> None:
    value = {**WHOLE, **change}
    with pytest.raises(UsageError) as raised:
        parse_declaration(value, "a.toml")
    assert words in str(raised.value)
    assert str(value["class"])[:6] in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "class is missing"),
        ({"library": "a.b", "creates": ["x"], "frees": ["y"]}, "name is missing"),
        ({"library": "a.b", "name": "X"}, "needs creates and frees"),
        ({"class": "a.B", "creates": ["x"], "frees": ["y"]}, "need library"),
        ({"class": "a.B", "library": "a.b", "creates": ["x"], "frees": ["y"]}, "needs handle"),
    ],
)
def test_what_does_not_go_together_is_said(value: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_declaration(value, "a.toml")


def test_one_that_is_wrong_does_not_keep_the_others_from_being_read() -> None:
    found, troubles = parse_declarations(
        [{"class": "a.B"}, 3, {"class": "b"}, {"class": "c.D"}], "a.toml"
    )

    assert [each.cls for each in found] == ["a.B", "c.D"]
    assert len(troubles) == 2
    assert all(trouble.endswith(": a.toml") for trouble in troubles)


def test_too_many_are_cut_off_and_said() -> None:
    found, troubles = parse_declarations(
        [{"class": f"a.B{index}"} for index in range(MAX_DECLARATIONS + 5)], "a.toml"
    )

    assert len(found) == MAX_DECLARATIONS
    assert "are too many" in troubles[0]


@pytest.mark.parametrize("value", [3, None, "x", {"class": "a.B"}])
def test_what_is_no_list_is_one_line(value: object) -> None:
    assert len(parse_declarations(value, "a.toml")[1]) == 1


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_declaration_is_right(name: str) -> None:
    from inspector.wire.declaration_files import SHIPPED

    declared = Declared()
    read_file(SHIPPED / f"{name}.toml", declared)
    assert declared.troubles == []
    assert declared.declarations
