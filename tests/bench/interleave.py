"""Times several subjects in one interleaved run, so that other load affects all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def nanos_per_call(
    subjects: Mapping[str, Callable[[int], object]], *, calls: int, rounds: int = 31
) -> dict[str, float]:
    """Median nanoseconds a call of each subject.

    A subject is given the number of calls and makes them in a loop of its own. Rounds use all
    subjects in turn.
    """
    times: dict[str, list[float]] = {name: [] for name in subjects}
    for subject in subjects.values():
        subject(calls)
    for _ in range(rounds):
        for name, subject in subjects.items():
            begin = time.perf_counter_ns()
            subject(calls)
            times[name].append((time.perf_counter_ns() - begin) / calls)
    return {name: statistics.median(values) for name, values in times.items()}
