"""The stored form of a snapshot is fixed.

The bytes before they are packed, because libraries pack differently.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import fields

import numpy as np
import pytest

from inspector.model.codec import encode
from inspector.model.snapshot import UNKNOWN, Handles, Snapshot
from inspector.model.stored import blank_columns, stored_columns
from tests.helpers.snapshots import snapshot_of
from tests.helpers.varied import varied_snapshot

HEAD_BYTES = 24


@pytest.mark.parametrize(
    ("snapshot", "digest"),
    [
        pytest.param(
            snapshot_of(),
            "7ed71109db90a0d541b2416946f5d209b34867fb178af362d1f3988f7f3b5a4f",
            id="empty",
        ),
        pytest.param(
            varied_snapshot(),
            "68f9d3b8ba4b7f7f5bcae6da9522698f907bba23371cbec44d022df28918cd6a",
            id="varied",
        ),
    ],
)
def test_a_snapshot_is_stored_in_the_same_bytes_as_before(snapshot: Snapshot, digest: str) -> None:
    stored = encode(snapshot)
    plain = stored[:HEAD_BYTES] + zlib.decompress(stored[HEAD_BYTES:])
    assert hashlib.sha256(plain).hexdigest() == digest


def test_each_column_of_a_handle_says_how_it_is_stored() -> None:
    assert list(stored_columns(Handles)) == [each.name for each in fields(Handles)]


def test_blank_rows_are_of_the_stored_types_and_know_nothing() -> None:
    blank = Handles(**blank_columns(Handles, 2))
    assert {name: getattr(blank, name).dtype.str for name in blank_columns(Handles, 0)} == {
        name: how.dtype for name, how in stored_columns(Handles).items()
    }
    assert blank.strong.tolist() == [UNKNOWN, UNKNOWN]
    assert np.isnan(blank.created_at).all()
    assert blank.owner_threads.tolist() == [0, 0]
