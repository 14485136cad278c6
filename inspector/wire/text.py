"""Text across the C interface. Any thread.

It is UTF-8 with a length inwards; outwards it is NUL-padded arrays and owned buffers.
"""

from __future__ import annotations

from typing import Any

from inspector._native import ffi, lib
from inspector.plain_text import printable


def text_argument(text: str) -> tuple[Any, int]:
    """Pointer and length of a text for one call.

    The pointer keeps the bytes alive as long as it is held.
    """
    data = text.encode(errors="replace")
    return ffi.from_buffer("uint8_t[]", data), len(data)


def text_struct(text: str) -> tuple[Any, Any]:
    """An ``AiText`` by value, and the object that must be held as long as it is used."""
    pointer, length = text_argument(text)
    struct = ffi.new("AiText *", {"data": pointer, "length": length})
    return struct[0], (struct, pointer)


def padded_text(array: Any) -> str:
    """Text of a NUL-padded ``uint8_t`` array.

    Bytes that are not UTF-8 and characters that are not for showing are replaced.
    """
    return printable(bytes(ffi.buffer(array)).partition(b"\0")[0].decode(errors="replace"))


def take_bytes(buffer: Any) -> bytes:
    """Bytes of an ``AiBuffer`` that a call filled; frees it."""
    try:
        return bytes(ffi.buffer(buffer.data, buffer.length)) if buffer.length else b""
    finally:
        lib.ai_buffer_free(buffer)


def take_buffer(buffer: Any) -> str:
    """Text of an ``AiBuffer`` that a call filled; frees it."""
    return take_bytes(buffer).decode(errors="replace")
