"""Makes HTML and SVG so that no text can become markup: only ``Markup`` is not escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from inspector.plain_text import printable


class Markup(str):
    """Text that is markup already; made by this module only."""

    __slots__ = ()


def tag(name: str, /, *children: str | Iterable[str], **attributes: str | float | None) -> Markup:
    """An element. Texts are escaped; attributes that are ``None`` are left out.

    An underscore at the end of an attribute's name is dropped (``class_``); others become hyphens.
    """
    listed = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(printable(_number(value)), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{listed}>{joined(*children)}</{name}>")


def void(name: str, /, **attributes: str) -> Markup:
    """An element without content and without an end, such as ``meta``."""
    listed = "".join(
        f' {key.replace("_", "-")}="{escape(value, quote=True)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{listed}>")


def joined(*children: str | Iterable[str]) -> Markup:
    """Texts and elements one after the other."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, str):
            parts.append(child if isinstance(child, Markup) else escape(printable(child)))
        else:
            parts.extend(joined(each) for each in child)
    return Markup("".join(parts))


def nothing() -> Markup:
    """No element and no text."""
    return Markup()


def lines(texts: Iterable[str]) -> Markup:
    """Texts with real line ends between them, for ``pre``."""
    return Markup("\n".join(joined(each) for each in texts))


def style(text: str) -> Markup:
    """A style sheet of ours."""
    return Markup(f"<style>{text}</style>")


def table(
    titles: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int] = ()
) -> Markup:
    """A table; columns whose place is in ``numbers`` are aligned right."""
    right = frozenset(numbers)
    head = tag("tr", (_cell("th", at, each, right) for at, each in enumerate(titles)))
    body = (
        tag("tr", (_cell("td", at, each, right) for at, each in enumerate(row))) for row in rows
    )
    return tag("table", tag("thead", head), tag("tbody", body))


def _cell(name: str, at: int, text: str, right: frozenset[int]) -> Markup:
    return tag(name, text, class_="n" if at in right else None)


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.3f}".rstrip("0").rstrip(".")
