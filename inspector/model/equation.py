"""The count equation of one object: who makes up its strong count.

    strong = proxies + named native references + unexplained    (at rest)

Before the target was asked for names, its native references are one term. Calls in flight borrow or clone on top of that and are
shown beside it. Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inspector.model.holders import NamedHolder, NativeHolders
from inspector.model.snapshot import UNKNOWN, Handles


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
    """The target said which native references have a name; before that ``native`` is all of them."""

    @property
    def known(self) -> bool:
        """The strong count was sampled."""
        return self.strong != UNKNOWN


def equation_of(handles: Handles, row: int, *, calls_estimated: bool = False) -> CountEquation:
    """The equation of a row's object; ``calls_estimated``: calls in flight of its kind are known by sampling only."""
    strong, proxies = int(handles.strong[row]), int(handles.proxies[row])
    in_flight, weak = int(handles.in_flight[row]), int(handles.weak[row])
    if strong == UNKNOWN:
        return CountEquation(UNKNOWN, weak, proxies, in_flight, UNKNOWN, 0, 0, calls_estimated)
    native = int(handles.native_refs[row])
    held = max(native, 0)
    rest = strong - max(proxies, 0) - held
    return CountEquation(strong, weak, proxies, in_flight, held, max(rest, 0), max(-rest, -native, 0), calls_estimated)


def with_names(equation: CountEquation, holders: NativeHolders) -> CountEquation:
    """The equation when the holders of native references are known by name: what has none is unexplained.

    More names than references: the count changed between the two questions. Then the names stand, as far as the count goes.
    """
    if not equation.known:
        return replace(equation, names_known=True)
    named = min(holders.total(), equation.native)
    rest = equation.unexplained + equation.native - named
    return replace(equation, native=0, named=named, unexplained=rest, names_known=True)


def with_keepers(equation: CountEquation, keepers: Sequence[NamedHolder]) -> CountEquation:
    """The equation when the table shows some of the native holders, and the target was not asked for the others."""
    named = min(sum(keeper.count for keeper in keepers), equation.native) if equation.known else 0
    return replace(equation, native=equation.native - named, named=named)
