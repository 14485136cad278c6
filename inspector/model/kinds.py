"""What the kinds of types mean for the numbers shown. Kinds are ``TypeRow.kind``. Pure; any thread."""

from __future__ import annotations

from typing import Final

CLONING_KINDS: Final = ("uniffi", "declared")
"""Beginnings of the kinds whose calls clone the object's reference: no record says who calls, only the count goes up meanwhile."""

CALL_KIND: Final = "uniffi_call"
"""An asynchronous call of the library that has not ended."""
RUNNING_KIND: Final = "uniffi_running"
"""A synchronous call of the library that has not returned."""
AWAITED_KIND: Final = "uniffi_future"
"""A Python call that native code awaits."""
CALL_KINDS: Final = (CALL_KIND, AWAITED_KIND, RUNNING_KIND)
"""Kinds whose rows are calls themselves."""


TRAIT_KIND: Final = "uniffi_trait"
"""A Rust-implemented trait: handles point into something of their own that holds one of the object's references."""


def is_trait(kind: str) -> bool:
    """Its counts are two: of the object's own ``Arc``, and of the ``Arc`` (or the box) that a handle points into."""
    return kind == TRAIT_KIND


def calls_are_estimated(kind: str) -> bool:
    """Calls in flight are known by sampling the strong count, so short ones may be missed."""
    return kind.startswith(CLONING_KINDS) and kind not in CALL_KINDS
