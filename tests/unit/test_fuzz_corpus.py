"""The corpus of coverage-guided fuzzing, and the generator that draws from a case."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import guided
from tests.fuzz.guided import GuidedRandom, read_corpus, write_corpus
from tests.fuzz.guided_run import NATIVE
from tests.fuzz.subjects import SUBJECTS, try_case


def test_a_case_decides_the_draws_and_zeros_follow_when_it_is_used_up() -> None:
    rng = GuidedRandom(bytes([200, 1, 3]))
    assert [rng.getrandbits(8), rng.getrandbits(4), rng.randrange(4)] == [200, 1, 3]
    assert [rng.randrange(1000), rng.choice("ab"), rng.random()] == [0, "a", 0.0]


def test_equal_cases_draw_alike_and_other_cases_otherwise() -> None:
    def draws(case: bytes) -> list[int]:
        rng = GuidedRandom(case)
        return [rng.randrange(1 << 20) for _ in range(5)]

    assert draws(b"abcdefghijklmno") == draws(b"abcdefghijklmno") != draws(b"bbcdefghijklmno")


def test_the_shortest_cases_are_kept_for_which_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guided, "CORPUS", tmp_path / "corpus")
    monkeypatch.setattr(guided, "MOST_CORPUS_BYTES", 6)
    assert read_corpus("filter") == []
    assert write_corpus("filter", [b"ccc", b"a", b"bb", b"dddd", b"a"]) == 3
    assert read_corpus("filter") == [b"a", b"bb", b"ccc"]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_case_of_the_corpus_crashes(subject: str, tmp_path: Path) -> None:
    """Native subjects: `native/verify/tests/corpus.rs`."""
    for case in read_corpus(subject):
        try_case(subject, GuidedRandom(case), tmp_path)


@pytest.mark.parametrize("subject", [*SUBJECTS, *NATIVE])
def test_each_subject_has_a_corpus(subject: str) -> None:
    assert len(read_corpus(subject)) > 10
