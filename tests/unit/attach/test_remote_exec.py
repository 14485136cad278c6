"""The layout that CPython publishes of itself: an unexpected layout is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.attach.remote_exec import remote_layout
from inspector.errors import AttachError

COOKIE = int.from_bytes(b"xdebugpy", "little")
VERSION = (3, 14, 2)


def table(**changes: int) -> bytes:
    """A made-up table of 160 words; ``at`` names where the support block ends."""
    words = [0] * 160
    words[0], words[1] = COOKIE, changes.get("version", 0x030E02F0)
    words[5], words[10] = 632, 7344
    at = changes.get("at", 120)
    words[at - 5 : at + 1] = [
        24,
        656,
        changes.get("enabled", 424),
        0,
        4,
        changes.get("path_bytes", 512),
    ]
    return struct.pack("<160Q", *words)


def test_the_layout_is_found_wherever_the_block_lies():
    for at in (60, 120, 159):
        found = remote_layout(table(at=at), VERSION)
        assert (found.interpreters_head, found.threads_main) == (632, 7344)
        assert (found.eval_breaker, found.support, found.enabled, found.script_path) == (
            24,
            656,
            424,
            4,
        )


@pytest.mark.parametrize(
    "changes", [{"version": 0x030D00F0}, {"path_bytes": 100}, {"enabled": 1 << 40}]
)
def test_anything_else_is_refused(changes: dict[str, int]):
    with pytest.raises(AttachError):
        remote_layout(table(**changes), VERSION)


@given(st.binary(max_size=1280))
def test_no_bytes_are_taken_for_a_layout_by_accident(garbage: bytes):
    with pytest.raises(AttachError):
        remote_layout(garbage.ljust(1280, b"\0"), VERSION)
