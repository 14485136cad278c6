"""The text form of a handle's number, for targets and viewers."""

from __future__ import annotations


def handle_text(handle: int) -> str:
    """``#slot.generation`` of a handle's 64-bit number, as it is shown everywhere."""
    return f"#{(handle & 0xFFFF_FFFF) >> 1}.{handle >> 32}"
