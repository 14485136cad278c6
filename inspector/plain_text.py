"""Text of other programs, made safe for a terminal. Pure; any thread.

This is the one place that decides which characters may be shown.
"""

from __future__ import annotations

from typing import Final

SUBSTITUTE: Final = "\ufffd"  # by its number: a packed program may lack the names of characters
"""Stands for each character that is not shown."""


def printable(text: str) -> str:
    """``text`` as one line of characters that a terminal only draws.

    Control characters of both sets, newlines, direction marks, other invisible format characters
    and lone surrogates are each replaced by ``SUBSTITUTE``.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else SUBSTITUTE for each in text)


def one_line(text: object) -> str:
    """The text of ``text`` as one printable line: newlines and runs of blanks become one blank."""
    return printable(" ".join(str(text).split()))
