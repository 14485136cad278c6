"""Counts the habits that make English hard to read.

Sentences without a noun at their head, pronouns in place of nouns.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.prose.texts import Text

# Sentences that begin with these words name no agent.
HEADS = ("what", "who", "whoever", "whose", "those", "of", "where")

# Pronouns that stand for a noun of the trade. "one" counts only if no noun follows it.
PRONOUNS = re.compile(
    r"\b(what|whatever|who|whoever|whom|those|others|ones"
    r"|nobody|somebody|everybody|anybody|someone|anyone|everyone"
    r"|one(?=[.,;:)]|$"
    r"| (?:that|of|who|which|is|was|has|had|may|can|could|must|would|does|to)\b))\b",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"(?<=[.!?])[)\"']*\s+(?=[A-Z`\"(*_\[])")
CODE = re.compile(r"`[^`]*`|\*\*|https?://\S+|\"[^\"]{1,80}\"")
WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


@dataclass(frozen=True, slots=True)
class Fault:
    """A sentence that opens without a noun, or that holds pronouns in place of nouns."""

    text: Text
    sentence: str
    opens_badly: bool
    pronouns: int


@dataclass(frozen=True, slots=True)
class Count:
    """Sums over one kind of text.

    Attributes:
        sentences, words: how many were read.
        heads: sentences that open with a word of `HEADS`.
        pronouns: words that stand for a noun.
    """

    sentences: int
    words: int
    heads: int
    pronouns: int

    @property
    def heads_percent(self) -> float:
        """Share of badly opened sentences, in percent."""
        return 100 * self.heads / max(self.sentences, 1)

    @property
    def pronouns_percent(self) -> float:
        """Pronouns per hundred words."""
        return 100 * self.pronouns / max(self.words, 1)


def sentences(text: Text) -> Iterator[str]:
    """Splits a paragraph at full stops, question and exclamation marks.

    Table cells are sentences of their own.
    """
    for cell in text.words.split(" | "):
        yield from (part for part in SENTENCE_END.split(cell) if WORD.search(CODE.sub("x", part)))


def fault_of(text: Text, sentence: str) -> Fault:
    """The faults of one sentence; both figures may be zero. Quoted words and code do not count."""
    plain = CODE.sub("x", sentence)
    first = WORD.search(plain)
    question = plain.rstrip().endswith("?")
    opens_badly = bool(first) and not question and first.group().lower() in HEADS
    return Fault(text, sentence, opens_badly, 0 if question else len(PRONOUNS.findall(plain)))


def faults(texts: Iterable[Text]) -> list[Fault]:
    """One entry for each sentence of `texts`, in order."""
    return [fault_of(text, sentence) for text in texts for sentence in sentences(text)]


def count(found: list[Fault]) -> Count:
    """Sums the faults of one kind of text."""
    words = sum(len(WORD.findall(CODE.sub("x", fault.sentence))) for fault in found)
    return Count(
        len(found),
        words,
        sum(fault.opens_badly for fault in found),
        sum(fault.pronouns for fault in found),
    )
