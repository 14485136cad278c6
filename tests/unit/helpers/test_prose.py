"""The prose check finds the sentences that hide their noun, and no other sentence."""

import ast

import pytest

from tests.prose.__main__ import too_many
from tests.prose.counting import Count, count, fault_of, faults
from tests.prose.texts import (
    ROOT,
    Text,
    c_like_comments,
    docstrings,
    messages,
    paragraphs,
    python_comments,
)


def text(words: str) -> Text:
    return Text("somewhere.py", 1, words)


@pytest.mark.parametrize(
    "sentence",
    [
        "What a viewer asks.",
        "Of those the newest.",
        "Who holds it is asked later.",
        "Those that ended.",
        "Where rows end.",
    ],
)
def test_a_sentence_that_opens_without_a_noun_is_counted(sentence: str) -> None:
    assert fault_of(text(sentence), sentence).opens_badly


@pytest.mark.parametrize(
    "sentence",
    ["The owner thread closes it.", "Who holds it?", "`what` is the name of the argument."],
)
def test_a_sentence_with_its_noun_and_a_question_pass(sentence: str) -> None:
    assert not fault_of(text(sentence), sentence).opens_badly


@pytest.mark.parametrize(
    ("sentence", "pronouns"),
    [
        ("It tells others what somebody released.", 3),
        ("The one that began last.", 1),
        ("One row for each type.", 0),
        ("Use `those` here.", 0),
    ],
)
def test_pronouns_in_place_of_nouns_are_counted(sentence: str, pronouns: int) -> None:
    assert fault_of(text(sentence), sentence).pronouns == pronouns


def test_sums_are_shares_of_sentences_and_of_words() -> None:
    sums = count(faults([text("What it is. The table holds rows. Of it. Rows end.")]))
    assert sums == Count(sentences=4, words=11, heads=2, pronouns=1)
    assert sums.heads_percent == 50


def test_a_share_above_its_limit_is_named() -> None:
    limits = {"heads_percent": 1.0, "pronouns_percent": 9.0}
    assert too_many("comments", Count(10, 100, 1, 1), limits) == [
        "prose: comments: heads_percent is 10.00, the limit is 1.0"
    ]
    assert too_many("comments", Count(100, 100, 1, 1), limits) == []


def test_code_blocks_and_list_items_are_kept_apart() -> None:
    lines = ["First line", "goes on.", "", "```", "what is code", "```", "- an item", "- another"]
    assert [found.words for found in paragraphs("x.md", 1, lines)] == [
        "First line goes on.",
        "an item",
        "another",
    ]
    assert [found.line for found in paragraphs("x.md", 1, lines)] == [1, 7, 8]


def test_comments_of_each_language_are_read() -> None:
    rust = (
        '//! A module.\nlet url = "http://x"; // trailing words\n/// A function.\n// a '
        "comment\n// of two lines\n"
    )
    path = ROOT / "x.rs"
    assert [found.words for found in c_like_comments(path, rust, documenting=True)] == [
        "A module.",
        "A function.",
    ]
    assert [found.words for found in c_like_comments(path, rust, documenting=False)] == [
        "trailing words",
        "a comment of two lines",
    ]
    python = "x = 1  # trailing\n# two\n# lines\ny = 2  # noqa: E501\n"
    assert [found.words for found in python_comments(ROOT / "x.py", python)] == [
        "trailing",
        "two lines",
    ]


def test_docstrings_are_read() -> None:
    source = (
        '"""Module."""\ndef f():\n    """Function.\n\n    More.\n    """\nx = 1\n"""Attribute."""\n'
    )
    tree = ast.parse(source)
    assert [(found.words, found.line) for found in docstrings(ROOT / "x.py", tree)] == [
        ("Module.", 1),
        ("Attribute.", 8),
        ("Function.", 3),
        ("More.", 5),
    ]


def test_a_message_with_values_is_one_sentence() -> None:
    tree = ast.parse(
        "say(f'{count} of its waits for the lock ended early')\nsay('Of a dead "
        "process its last state is shown')"
    )
    found = faults(messages(ROOT / "inspector" / "somewhere.py", tree))
    assert [(fault.sentence, fault.opens_badly) for fault in found] == [
        ("`x` of its waits for the lock ended early", False),
        ("Of a dead process its last state is shown", True),
    ]
