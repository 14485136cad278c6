"""The count equation of one object: the parts of its strong count.

    strong = proxies + named native references + unexplained    (at rest)

Before the target was asked for names, its native references are one term. Calls in flight borrow or
clone on top of that and are shown beside it. A trait's strong count is the sum of the object's own
``Arc``'s and of the outer counts: ``parts`` takes it apart. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inspector.model.holders import NamedHolder, NativeHolders
from inspector.model.snapshot import UNKNOWN, Handles, Outer, TypeRow
from inspector.model.states import ALIVE, alive
from inspector.vocabulary import kind_named


@dataclass(frozen=True, slots=True)
class TraitParts:
    """The counts of a trait, one by one; ``UNKNOWN`` where not sampled.

    strong = inner + (outer - 1) + others
    """

    outer_is: Outer
    """What the handle points into; ``NONE``: not known, in a file of an older version."""
    inner: int
    """Strong count of the object's own ``Arc``."""
    outer: int
    """Strong count of the outer ``Arc`` that the handle points into; that ``Arc`` is one of
    ``inner``."""
    handles: int
    """Handles that point into it, this one among them."""
    others: int
    """What the outer ``Arc``s of the object's other handles count beyond one each."""

    @property
    def clones(self) -> int:
        """References of the outer ``Arc`` that are no handle.

        ``UNKNOWN`` when it was not sampled.
        """
        return UNKNOWN if self.outer == UNKNOWN else max(self.outer - self.handles, 0)


@dataclass(frozen=True, slots=True)
class CountEquation:
    """Parts of a strong count; ``UNKNOWN`` where not sampled."""

    strong: int
    weak: int
    proxies: int
    in_flight: int
    native: int
    """References that native code holds and that have no name so far."""
    unexplained: int
    """References that nobody known holds; 0 when the strong count is not known."""
    missing: int
    """Proxies without a strong reference behind them: a double free to come."""

    calls_estimated: bool = False
    """``in_flight`` comes from sampling the strong count."""

    named: int = 0
    """Native references whose holder has a name."""
    names_known: bool = False
    """The target said which native references have a name; before that ``native`` is all of
    them."""
    parts: TraitParts | None = None
    """Of a trait."""

    @property
    def known(self) -> bool:
        """The strong count was sampled."""
        return self.strong != UNKNOWN


def equation_of(handles: Handles, row: int, kind: TypeRow | None = None) -> CountEquation:
    """The equation of a row's object; ``kind``: its type, as far as that is known."""
    strong, proxies = int(handles.strong[row]), int(handles.proxies[row])
    in_flight, weak = int(handles.in_flight[row]), int(handles.weak[row])
    is_estimated = kind is not None and kind_named(kind.kind).calls_are_estimated
    parts = parts_of(handles, row, kind)
    if strong == UNKNOWN:
        return CountEquation(
            UNKNOWN, weak, proxies, in_flight, UNKNOWN, 0, 0, is_estimated, parts=parts
        )
    native = int(handles.native_refs[row])
    held = max(native, 0)
    rest = strong - max(proxies, 0) - held
    return CountEquation(
        strong,
        weak,
        proxies,
        in_flight,
        held,
        max(rest, 0),
        max(-rest, -native, 0),
        is_estimated,
        parts=parts,
    )


def parts_of(handles: Handles, row: int, kind: TypeRow | None) -> TraitParts | None:
    """A live trait's counts one by one; ``None`` for other kinds, and for an ended handle."""
    if (
        kind is None
        or not kind_named(kind.kind).is_trait
        or int(handles.references[row]) not in ALIVE
    ):
        return None
    strong, inner, outer = (
        int(handles.strong[row]),
        int(handles.inner_strong[row]),
        int(handles.outer_strong[row]),
    )
    pointing = int(
        np.count_nonzero(
            (handles.data == handles.data[row])
            & (handles.types == handles.types[row])
            & alive(handles)
        )
    )
    others = UNKNOWN if UNKNOWN in (strong, inner, outer) else max(strong - inner - (outer - 1), 0)
    return TraitParts(kind.outer, inner, outer, pointing, others)


def with_names(equation: CountEquation, holders: NativeHolders) -> CountEquation:
    """The equation with named holders of native references.

    References without a name are unexplained.

    More names than references: the count changed between the two questions. Then the names are
    shown, up to the count.
    """
    if not equation.known:
        return replace(equation, names_known=True)
    named = min(holders.total(), equation.native)
    rest = equation.unexplained + equation.native - named
    return replace(equation, native=0, named=named, unexplained=rest, names_known=True)


def with_keepers(equation: CountEquation, keepers: Sequence[NamedHolder]) -> CountEquation:
    """The equation when the table shows some native holders.

    The target was not asked for the rest.
    """
    named = min(sum(keeper.count for keeper in keepers), equation.native) if equation.known else 0
    return replace(equation, native=equation.native - named, named=named)
