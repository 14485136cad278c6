"""Every test of the runtime gives back all handles that it took."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from inspector.wire import lib


@pytest.fixture(autouse=True)
def zero_live_handles_left() -> Iterator[None]:
    gc.collect()
    before = lib.ai_live_handles()
    yield
    gc.collect()
    assert lib.ai_live_handles() == before
