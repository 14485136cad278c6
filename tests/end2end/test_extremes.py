"""Extreme programs are shown as they are, run on, and end as they would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from inspector.model.snapshot import Snapshot
from inspector.session.live import LiveSession
from inspector.vocabulary import Level, Reference
from inspector.wire.schema import MAX_THREADS
from tests.helpers.targets import Target, start_target
from tests.helpers.usage import usage_of
from tests.helpers.waiting import Follower

THREADS = 1_000
REQUESTS = 3_000
SITES = 10_000
NAME_BYTES = 10_000


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of this test lie in a folder of its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@contextmanager
def viewed(target: Target, level: Level | None = None) -> Iterator[tuple[LiveSession, Follower]]:
    session = LiveSession(Path(target.ready["segment"]), level=level)
    follower = Follower(session)
    try:
        yield session, follower
    finally:
        session.end()
        session.join()


def live_rows(snapshot: Snapshot) -> int:
    return int(np.count_nonzero(snapshot.handles.references == Reference.LIVE))


def test_a_thousand_threads_are_told_apart_and_their_handles_outlive_them() -> None:
    with start_target("extremes", "count") as target, viewed(target) as (_, follower):
        assert target.ask(f"threads {THREADS}") == THREADS
        snapshot = follower.wait(lambda each: live_rows(each) == THREADS)
        assert len(np.unique(snapshot.handles.created_threads)) == THREADS
        names = {snapshot.threads[int(each)].name for each in snapshot.handles.created_threads}
        assert names == {f"crowd-{number}" for number in range(THREADS)}
        assert snapshot.lost.total() == 0
        target.ask("part")
        snapshot = follower.wait(lambda each: sum(row.alive for row in each.threads.values()) <= 2)
        assert live_rows(snapshot) == THREADS
        target.ask("forget")
        snapshot = follower.wait(lambda each: live_rows(each) == 0)
        assert int(snapshot.vitals.released.sum()) == THREADS
        assert target.finish() == 0
        assert target.errors() == ""


def test_a_thread_for_each_request_leaves_nothing_but_exact_counts() -> None:
    with start_target("extremes", "count") as target, viewed(target) as (_, follower):
        threads = usage_of(target.pid).threads
        target.ask(f"requests {REQUESTS}")
        before = usage_of(target.pid)
        own_before = usage_of(os.getpid())
        target.ask(f"requests {REQUESTS}")
        # a thread that was joined leaves the system's list a moment later
        snapshot = follower.wait(
            lambda each: (
                int(each.vitals.released.sum()) == 2 * REQUESTS
                and usage_of(target.pid).threads <= threads
            )
        )
        assert int(snapshot.vitals.created.sum()) == 2 * REQUESTS
        assert live_rows(snapshot) == 0
        assert len(snapshot.threads) < MAX_THREADS
        assert snapshot.lost.counts.get("threads", 0) == 0
        after, own_after = usage_of(target.pid), usage_of(os.getpid())
        assert after.descriptors == before.descriptors
        assert own_after.descriptors == own_before.descriptors
        assert target.finish() == 0


def test_a_name_of_ten_thousand_bytes_is_cut_and_its_row_is_there() -> None:
    with start_target("extremes", "count") as target, viewed(target) as (_, follower):
        assert target.ask(f"named {NAME_BYTES}") != 0
        snapshot = follower.wait(lambda each: live_rows(each) == 1)
        (name,) = {row.name for row in snapshot.types.values() if row.origin == "extremes"}
        assert 100 < len(name) <= 128
        assert set(name[:100]) == {"N"}
        assert snapshot.target.state.value == "live"
        target.kill()


def test_ten_thousand_sites_are_named_each_by_its_own_line() -> None:
    with start_target("extremes", "stacks") as target, viewed(target) as (_, follower):
        assert target.ask(f"sites {SITES}") == SITES
        snapshot = follower.wait(lambda each: live_rows(each) == SITES)
        sites = np.unique(snapshot.handles.created_sites)
        assert len(sites) == SITES
        lines = {frame.line for each in sites for frame in snapshot.sites[int(each)].frames[:1]}
        assert len(lines) == SITES
        lost = snapshot.lost.counts
        assert (lost["sites"], lost["strings"], lost["untracked_handles"]) == (0, 0, 0)
        target.ask("forget")
        follower.wait(lambda each: live_rows(each) == 0)
        assert target.finish() == 0


def test_opposite_wishes_of_two_viewers_give_the_higher_level_and_each_leaving_takes_its_own() -> (
    None
):
    with start_target("todo", "count") as target:
        with viewed(target, Level.COUNT) as (low, watcher):
            watcher.wait(lambda each: each.target.viewers == 1)
            with viewed(target, Level.STACKS) as (high, follower):
                follower.wait(lambda each: each.target.level is Level.STACKS)
                watcher.wait(lambda _: low.capabilities.levels)
                low.set_level(Level.COUNT).result(60)
                low.set_interval(snapshot_secs=2.0, vitals_secs=2.0)
                target.ask("item milk buy")
                snapshot = follower.wait(lambda each: live_rows(each) == 1)
                assert snapshot.target.level is Level.STACKS
                row = int(np.flatnonzero(snapshot.handles.references == Reference.LIVE)[0])
                assert int(snapshot.handles.created_sites[row]) != 0
                assert high.capabilities.act
            low.set_interval(snapshot_secs=0.05, vitals_secs=0.05)
            watcher.wait(lambda each: each.target.level is Level.COUNT)
            watcher.wait(lambda each: each.target.viewers == 1)
        assert target.finish() == 0
