from __future__ import annotations

import pytest

from inspector.model.states import Standing, search_words, standing, state_words
from inspector.vocabulary import Reference, Resource


@pytest.mark.parametrize(
    ("reference", "resource", "words", "meaning"),
    [
        (Reference.LIVE, Resource.NONE, "live", Standing.NORMAL),
        (Reference.LIVE, Resource.OPEN, "open", Standing.NORMAL),
        (Reference.LIVE, Resource.WAITING_OWNER, "waits for owner", Standing.WAITING),
        (Reference.LIVE, Resource.CLOSED, "closed", Standing.CLOSED),
        (Reference.LIVE, Resource.CLOSE_FAILED, "close failed", Standing.FAILED),
        (Reference.RELEASE_REQUESTED, Resource.OPEN, "release requested", Standing.WAITING),
        (Reference.LIVE, Resource.POISONED, "poisoned", Standing.FAILED),
        (Reference.LIVE, Resource.FREED, "freed, still held", Standing.FAILED),
        (Reference.DROPPED, Resource.POISONED, "dropped, poisoned", Standing.DEAD),
        (Reference.DROPPED, Resource.NEVER_CLOSED, "dropped, never closed", Standing.DEAD),
        (Reference.RELEASED, Resource.NONE, "released", Standing.DEAD),
        (77, 3, "state 77/3", Standing.DEAD),
    ],
)
def test_two_states_make_one_phrase_and_one_meaning(
    reference: int, resource: int, words: str, meaning: Standing
) -> None:
    assert state_words(reference, resource) == words
    assert standing(reference, resource) == meaning


def test_a_tombstone_is_not_pending_whatever_its_resource_says() -> None:
    assert "pending" in search_words(Reference.LIVE, Resource.DRAINING)
    assert "pending" not in search_words(Reference.RELEASED, Resource.DRAINING)
