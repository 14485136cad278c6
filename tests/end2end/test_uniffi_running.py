"""Synchronous calls of UniFFI's that do not return.

Each is a call in flight, wherever one looks, and no native reference.
"""

from __future__ import annotations

import math

import numpy as np

from inspector.model.calls import calls_in_flight
from inspector.model.snapshot import Snapshot
from tests.helpers.calls import Counts, flying, running
from tests.helpers.targets import start_target
from tests.helpers.watching import watched

HELD = (2, 1, 1, 0)
"""Strong, proxies, native, in flight of what native code keeps."""


Seen = tuple[list[Counts], list[Counts], list[tuple[str, str, str]]]


def all_counts(snapshot: Snapshot) -> Seen:
    """Counts of the wallet and its store, and the calls that run."""
    return flying(snapshot, "Wallet"), flying(snapshot, "Persister"), running(snapshot)


def test_calls_that_do_not_return_are_in_flight_and_listed_with_their_line() -> None:
    with start_target("bdk_steps", "plain") as target, watched(target.ready["segment"]) as watch:
        target.ask("wallet w")
        watch.until(all_counts, ([(1, 1, 0, 0)], [(1, 1, 0, 0)], []))
        place = f"bdk_steps.py:{target.ask('save w saver-0')} save.<locals>.run"
        first, second = (("Wallet.persist", f"saver-{number}", place) for number in range(2))
        watch.until(all_counts, ([(1, 1, 0, 1)], [(1, 1, 0, 1)], [first]))
        target.ask("save w saver-1")
        seen = watch.until(all_counts, ([(1, 1, 0, 2)], [(1, 1, 0, 2)], [first, second]))
        assert all(
            math.isfinite(began) and began <= seen.taken_at
            for began in calls_in_flight(seen).began_at.tolist()
        )
        target.ask("let_go")
        watch.until(all_counts, ([(1, 1, 0, 0)], [(1, 1, 0, 0)], []))
        assert target.finish() == 0


def test_a_reference_that_native_code_keeps_is_told_from_a_call_that_runs_on_the_object() -> None:
    with start_target("bdk_steps", "plain") as target, watched(target.ready["segment"]) as watch:
        target.ask("wallet w")
        target.ask("keep w")
        watch.until(lambda seen: (flying(seen, "Wallet"), running(seen)), ([HELD], []))
        target.ask("save w saver")
        watch.until(lambda seen: (flying(seen, "Wallet"), len(running(seen))), ([(2, 1, 1, 1)], 1))
        target.ask("let_go")
        watch.until(lambda seen: (flying(seen, "Wallet"), running(seen)), ([HELD], []))
        assert target.finish() == 0


def test_calls_that_began_before_the_agent_are_counted_and_their_age_is_unknown() -> None:
    with start_target("bdk_steps", "none") as target:
        target.ask("wallet w")
        target.ask("save w saver")
        with watched(target.ask("start history")) as watch:
            expected = ([(1, 1, 0, 1)], [(1, 1, 0, 1)], ["Wallet.persist"])
            seen = watch.until(
                lambda seen: (*all_counts(seen)[:2], [name for name, _, _ in running(seen)]),
                expected,
            )
            assert np.isnan(calls_in_flight(seen).began_at).all()
        target.ask("let_go")
        assert target.finish() == 0
