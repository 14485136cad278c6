"""Closes of declared classes that a viewer asks for."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.unit.agent.adapters import wrapped
from tests.unit.agent.adapters.following import MODULE, SESSION, Follower

pytestmark = pytest.mark.usefixtures("unchanged_classes")
CACHE: list[Any] = []


@pytest.mark.usefixtures("whole_heap")
def test_a_close_from_a_viewer_calls_the_method_with_its_arguments(follower: Follower) -> None:
    adapter = follower.follow(SESSION)
    (session,) = CACHE[:] = [wrapped.Session()]
    row = follower.row()

    assert adapter.owns(row)
    assert adapter.close(row, although_held=True, preview=True).outcome == "would_close"
    assert follower.live("Session")
    refused = adapter.close(row, although_held=False, preview=False)
    assert refused.outcome == "refused"
    assert any("test_declared_viewer_closes.CACHE" in holder for holder in refused.holders)
    assert adapter.close(row, although_held=True, preview=False).outcome == "closed"
    assert session.flushed is True
    CACHE.clear()
    assert follower.live("Session") == []
    assert not adapter.owns(row)


def test_a_close_that_is_a_coroutine_runs_on_the_program_s_event_loop(follower: Follower) -> None:
    adapter = follower.follow({"class": f"{MODULE}.Stubborn", "close": "shut"})
    loop = asyncio.new_event_loop()
    is_running = threading.Event()
    loop.call_soon(is_running.set)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    kept = wrapped.Stubborn()
    try:
        assert is_running.wait(10)
        verdict = adapter.close(follower.row(), although_held=True, preview=False)
        assert (verdict.outcome, verdict.reason) == (
            "pending",
            ("shut() runs on the program's event loop"),
        )
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)  # which comes after it
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert follower.live("Stubborn") == []
    del kept


def test_what_a_viewer_cannot_close_it_is_told_why(follower: Follower) -> None:
    stubborn = {"class": f"{MODULE}.Stubborn", "released": "not is_open", "close": "close"}
    adapter = follower.follow(stubborn)
    kept = wrapped.Stubborn()
    verdict = adapter.close(follower.row(), although_held=True, preview=False)
    assert (verdict.outcome, verdict.reason) == (
        "pending",
        ("close() has returned, and the handle is not released yet"),
    )
    assert kept.is_open

    for change, words in (
        ({"close": "shut"}, "coroutine"),
        ({"owner_closes": True}, "only the thread that made it"),
    ):
        adapter.detach()
        adapter = follower.follow({**stubborn, **change})
        list(adapter.scan())
        verdict = adapter.close(follower.row(), although_held=True, preview=False)
        assert verdict.outcome == "refused"
        assert words in verdict.reason


@pytest.mark.usefixtures("whole_heap")
def test_a_type_that_names_no_close_is_never_closed(follower: Follower) -> None:
    adapter = follower.follow({"class": f"{MODULE}.Plain"})
    CACHE[:] = [wrapped.Plain()]
    verdict = adapter.close(follower.row(), although_held=True, preview=False)
    assert (verdict.outcome, verdict.reason) == ("refused", "Plain did not opt in to closing")
    assert adapter.referrers(follower.row()) == [
        ("list of 1, at 0 (global tests.unit.agent.adapters.test_declared_viewer_closes.CACHE)")
    ]
    CACHE.clear()
