"""Lines of a plot over time, made of readings. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inspector.model.snapshot import Floats, Ints


@dataclass(frozen=True, slots=True)
class Line:
    """Points of a line; ``nan`` in ``values`` breaks it (a gap)."""

    at: Floats
    values: Floats

    def value_at(self, at: float) -> float:
        """The last value at or before ``at``; ``nan`` before the first and in a gap."""
        index = int(np.searchsorted(self.at, at, side="right")) - 1
        return float(self.values[index]) if index >= 0 else float("nan")


def nice_secs(secs: float) -> float:
    """The next width of 1, 2 or 5 times a power of ten that is not smaller."""
    if secs <= 0:
        return 1e-3
    power = 10.0 ** np.floor(np.log10(secs))
    return float(
        next(
            (factor * power for factor in (1, 2, 5) if factor * power >= secs * (1 - 1e-9)),
            10 * power,
        )
    )


def broken(at: Floats, values: Floats, joined: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Line:
    """The points with a ``nan`` point before each point that does not continue the last."""
    breaks = np.flatnonzero(~joined[1:]) + 1 if len(at) else np.empty(0, np.int64)
    return Line(
        np.insert(at, breaks, at[breaks - 1] if len(breaks) else []),
        np.insert(values, breaks, np.nan),
    )


def decimated(
    at: Floats,
    low: Ints,
    high: Ints,
    *,
    joined: np.ndarray[tuple[int], np.dtype[np.bool_]],
    width: float,
) -> Line:
    """Lowest and highest value of each step of ``width`` seconds, steps aligned to the clock."""
    steps = np.floor(at / width).astype(np.int64)
    starts = np.flatnonzero(np.concatenate(([True], (np.diff(steps) != 0) | ~joined[1:])))
    lows, highs = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    values = np.stack((lows, highs), axis=1).astype(np.float64)
    times = np.repeat(at[starts], 2)
    joints = np.repeat(joined[starts], 2)
    joints[1::2] = True
    return broken(times, values.ravel(), joints)


def stepped(
    edges: Floats, values: Floats, gaps: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Line:
    """A level for each step between two edges, none in a gap."""
    shown = np.where(gaps, np.nan, values)
    return Line(np.stack((edges[:-1], edges[1:]), axis=1).ravel(), np.repeat(shown, 2))
