"""An attached adapter over a recorder that remembers; taken off again after each test, with nothing left behind."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import bdkpython.bdk
import nostr_sdk.nostr_sdk
import pytest

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.wire.schema import ReferenceState
from tests.unit.agent.adapters.remembering import RememberingRecorder


@pytest.fixture
def recorder() -> RememberingRecorder:
    return RememberingRecorder()


@pytest.fixture
def adapter(recorder: RememberingRecorder) -> Iterator[UniffiAdapter]:
    finders = list(sys.meta_path)
    attributes = generated_attributes()
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    yield adapter
    adapter.detach()
    gc.collect()
    assert sys.meta_path == finders
    assert generated_attributes() == attributes
    assert not [row for row in recorder.rows.values() if row.state == ReferenceState.LIVE]


def generated_attributes() -> dict[tuple[str, str], dict[str, int]]:
    """Identity of every attribute of every class of the two packages; what ``copyreg`` caches on a class is its own."""
    return {
        (module.__name__, name): {key: id(own) for key, own in vars(value).items() if key != "__slotnames__"}
        for module in (bdkpython.bdk, nostr_sdk.nostr_sdk)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
