"""A generator whose choices a fuzzer makes, and the cases that fuzzing kept.

A case of the corpus is a string of bytes. Native subjects read the bytes; a subject in Python draws
its choices from them, so coverage guides structured cases.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).with_name("corpus")
MOST_CORPUS_BYTES: Final = 60_000
"""Room for the cases of one subject; the shortest cases are kept."""


class GuidedRandom(random.Random):
    """Draws from a case; 0 when it is used up."""

    def __new__(cls, case: bytes) -> GuidedRandom:
        """The base class would make a seed of the case."""
        return super().__new__(cls)

    def __init__(self, case: bytes) -> None:
        """Begin at the first byte."""
        self._case, self._at = case, 0
        super().__init__(0)

    def getrandbits(self, bits: int, /) -> int:
        """The next bytes as a number of so many bits."""
        count = (bits + 7) // 8
        drawn = int.from_bytes(self._case[self._at : self._at + count], "little")
        self._at += count
        return drawn & ((1 << bits) - 1)

    def random(self) -> float:
        """The next four bytes as a fraction."""
        return self.getrandbits(32) / (1 << 32)


def read_corpus(subject: str) -> list[bytes]:
    """The cases of a subject; none are there yet: empty."""
    path = _path(subject)
    return [bytes.fromhex(line) for line in path.read_text().split()] if path.exists() else []


def write_corpus(subject: str, cases: Iterable[bytes]) -> int:
    """Keep the shortest of these cases, as many as there is room for; returns how many."""
    kept, room = [], MOST_CORPUS_BYTES
    for case in sorted(set(cases), key=lambda case: (len(case), case)):
        room -= len(case)
        if room < 0:
            break
        kept.append(case)
    CORPUS.mkdir(exist_ok=True)
    _path(subject).write_text("".join(f"{case.hex()}\n" for case in kept if case))
    return len(kept)


def _path(subject: str) -> Path:
    return CORPUS / f"{subject}.txt"
