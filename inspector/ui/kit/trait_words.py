"""The two counts of a trait in words.

They are of the object's own ``Arc``, and of the outer ``Arc`` (or the box) that a handle points
into.

Apart from the widgets because the count bar, the Detail pane and the table's tooltips say the same.
Pure; any thread.
"""

from __future__ import annotations

from typing import Final

from inspector.model import wording
from inspector.model.equation import TraitParts
from inspector.model.snapshot import UNKNOWN, Outer

NOT_SAMPLED: Final = "not sampled"
NOT_IN_FILE: Final = "not in this file"


def brief(parts: TraitParts) -> str:
    """``inner 2, outer 3 (2 clones of the handle)``; ``""`` where neither is known."""
    if parts.inner == UNKNOWN and parts.outer == UNKNOWN:
        return ""
    inner = f"inner {_count(parts.inner)}"
    if parts.outer_is == Outer.BOX:
        return f"{inner}, outer is a box"
    clones = f" ({wording.plural(parts.clones, 'clone')} of the handle)" if parts.clones > 0 else ""
    return f"{inner}, outer {_count(parts.outer)}{clones}"


def outer_name(parts: TraitParts) -> str:
    """Name of the handle's target: ``Outer Arc`` or ``Outer box``."""
    return "Outer box" if parts.outer_is == Outer.BOX else "Outer Arc"


def inner_value(parts: TraitParts, weak: int) -> str:
    """``strong 2, weak 0``."""
    unknown = NOT_IN_FILE if parts.outer_is == Outer.NONE else NOT_SAMPLED
    known = unknown if parts.inner == UNKNOWN else f"strong {parts.inner:,}"
    return f"{known}, weak {weak:,}" if weak != UNKNOWN else known


def outer_value(parts: TraitParts) -> str:
    """``strong 3``, or why there is no number."""
    if parts.outer_is == Outer.NONE:
        return NOT_IN_FILE
    if parts.outer_is == Outer.BOX:
        return "has no count"
    return NOT_SAMPLED if parts.outer == UNKNOWN else f"strong {parts.outer:,}"


def inner_meaning(parts: TraitParts) -> str:
    """The meaning of the inner count."""
    return f"1 for each outer {'box' if parts.outer_is == Outer.BOX else 'Arc'}, the rest native"


def outer_meaning(parts: TraitParts) -> str:
    """The meaning of the outer count."""
    if parts.outer_is == Outer.NONE:
        return "Recorded by a version that added both up"
    if parts.outer_is == Outer.BOX:
        return "This handle's own, for 1 inner reference"
    if parts.outer == UNKNOWN:
        return "The Arc that this handle points into"
    owners = "This handle" if parts.handles == 1 else f"{parts.handles:,} handles in common"
    clones = (
        f" and {wording.plural(parts.clones, 'clone')} not yet released" if parts.clones > 0 else ""
    )
    return owners + (clones or (" alone" if parts.handles == 1 else ""))


def total(strong: int, parts: TraitParts) -> str:
    """``4 = inner 2 + outer 3 − 1``, as far as known.

    The outer ``Arc`` itself is an inner reference.
    """
    if strong == UNKNOWN or parts.inner == UNKNOWN or parts.outer_is == Outer.NONE:
        return ""
    if parts.outer_is == Outer.BOX:
        return f"{strong:,} = inner {parts.inner:,}"
    if parts.outer == UNKNOWN:
        return ""
    others = f" + {parts.others:,} in outer Arcs of other handles" if parts.others > 0 else ""
    return f"{strong:,} = inner {parts.inner:,} + outer {parts.outer:,} − 1{others}"


def lines(strong: int, parts: TraitParts, weak: int) -> list[str]:
    """For a tooltip."""
    told = [
        f"Inner Arc: {inner_value(parts, weak)}",
        f"{outer_name(parts)}: {outer_value(parts)} – {_uncapitalised(outer_meaning(parts))}",
    ]
    return [*told, total(strong, parts)] if total(strong, parts) else told


def _count(count: int) -> str:
    return NOT_SAMPLED if count == UNKNOWN else f"{count:,}"


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
