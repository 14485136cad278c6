"""The heap that a search for holders sees."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture
def whole_heap() -> Iterator[None]:
    """Objects of modules are found as holders, too."""
    gc.unfreeze()
    yield
    gc.collect()
    gc.freeze()
