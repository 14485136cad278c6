"""The search for objects that live already: its slices, and objects that it cannot find."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import rpds

from inspector.agent.adapters.pyo3 import Pyo3Adapter
from inspector.vocabulary import Level
from inspector.wire import lib
from inspector.wire.hooks import hooks

MOST_JUDGED = 500
"""As ``native/python/search.c`` has it: 1 to 3 ms with the interpreter's lock."""


@pytest.fixture
def level() -> Iterator[None]:
    before = lib.ai_level()
    lib.ai_set_level(Level.HISTORY)
    gc.collect()
    yield
    lib.ai_set_level(before)


def test_a_slice_of_a_search_judges_a_bounded_number_of_objects(level: None) -> None:
    kept = [rpds.Queue([at]) for at in range(MOST_JUDGED * 3)]
    adapter = Pyo3Adapter()
    adapter.attach()
    made = list(adapter.scan())
    slices = [later - earlier for earlier, later in zip([0, *made], made, strict=False)]
    assert adapter.rows()["rpds.Queue"] == len(kept)
    assert 0 < max(slices) <= MOST_JUDGED
    kept.clear()
    adapter.detach()


def test_objects_that_a_search_cannot_find_are_said_to_live_only_where_they_are_many(
    level: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Empty:
        def __init__(self, owners: object) -> None: ...

        def step(self) -> tuple[int, bool]:
            return 0, False

        def is_blind(self) -> bool:
            return False

    monkeypatch.setattr(hooks, "Search", Empty)
    for count, is_told in ((300, False), (2000, True)):
        kept = [rpds.Queue([at]) for at in range(count)]
        adapter = Pyo3Adapter()
        adapter.attach()
        list(adapter.scan())
        told = [line for line in adapter.following().refused if "rpds.Queue" in line]
        assert [line.startswith(("about 1,9", "about 2,0")) for line in told] == [True] * is_told
        adapter.detach()
        kept.clear()
