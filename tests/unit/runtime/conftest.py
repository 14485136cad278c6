"""Every test of the runtime gives back all handles that it took."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from inspector.vocabulary import Level
from inspector.wire import lib


@pytest.fixture
def counting() -> Iterator[None]:
    """Level *count*, as under an idle agent."""
    before = lib.ai_level()
    lib.ai_set_level(Level.COUNT)
    yield
    lib.ai_set_level(before)


@pytest.fixture(autouse=True)
def zero_live_handles_left() -> Iterator[None]:
    gc.collect()
    before = lib.ai_live_handles()
    yield
    gc.collect()
    assert lib.ai_live_handles() == before
