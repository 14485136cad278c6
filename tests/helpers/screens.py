"""Checks on terminal output."""

from __future__ import annotations

import re

DIRECTION_MARKS = "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C))
)
CONTROLS = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
HOSTILE_TEXT = (
    f"a{CONTROLS}b{DIRECTION_MARKS}c\ud800d\udfffe\u2028f\u2029g[bold]h[/]\x1b]0;owned\x07\x1b[2J"
)
"""All that a name may not do to a terminal, and markup."""
_OBEYED = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{DIRECTION_MARKS}\ud800-\udfff\u2028\u2029]")


def assert_harmless(text: str) -> None:
    """Nothing in it is obeyed by a terminal, newlines and tabs apart."""
    found = _OBEYED.search(text)
    assert found is None, (
        ascii(found[0]),
        ascii(text[max(found.start() - 40, 0) : found.end() + 40]),
    )
