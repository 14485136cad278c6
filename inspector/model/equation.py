"""The count equation of one object: who makes up its strong count.

    strong = proxies + native references + unexplained          (at rest)

Calls in flight borrow or clone on top of that and are shown beside it. Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from inspector.model.snapshot import UNKNOWN, Handles


@dataclass(frozen=True, slots=True)
class CountEquation:
    """Parts of a strong count; ``UNKNOWN`` where not sampled."""

    strong: int
    weak: int
    proxies: int
    in_flight: int
    native: int
    unexplained: int
    """References that nobody known holds; 0 when the strong count is not known."""
    missing: int
    """Proxies without a strong reference behind them: a double free to come."""

    calls_estimated: bool = False
    """``in_flight`` comes from sampling the strong count."""

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
