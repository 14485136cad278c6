"""The inspector's counts equal the libraries' own: a few of the comparisons of ``./dev truth``."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from inspector.session.live import LiveSession
from inspector.vocabulary import Level
from tests.helpers.targets import start_target
from tests.truth.__main__ import WAYS, Watcher, agree, compare, run


@pytest.mark.parametrize("way", WAYS)
def test_counts_are_the_libraries_own_at_rest_and_beside_eight_busy_threads(way: str) -> None:
    tally = run(way, 5000, seed=1)
    assert tally.total >= 5000
    assert tally.busy_rows > 0


def test_the_first_counts_of_a_session_are_those_of_now_whatever_an_earlier_session_saw() -> None:
    with start_target("truth", "prepared") as target:
        for number in range(3):
            truths = target.ask(f"still {number}")
            session = LiveSession(Path(target.ready["segment"]), level=Level.COUNT)
            try:
                snapshot = Watcher(session, lambda snapshot: snapshot.sampled_at, enough=1).after(
                    time.time()
                )
            finally:
                session.end()
                session.join()
            assert compare(snapshot, truths) > len(truths)
            assert agree(snapshot) > 0
        assert target.finish() == 0
