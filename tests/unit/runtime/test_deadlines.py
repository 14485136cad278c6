"""Closes with a deadline, and event loops that run or wait for pending closes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inspector.errors import ClosedError, CloseError, InspectorError
from inspector.runtime import Cursor, Journal, asyncio_drain, drain

PATIENCE_SECS = 60.0


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.txt")
    yield journal
    journal.release()


@contextmanager
def call_in_flight(journal: Journal) -> Iterator[None]:
    """Within the block a call on the journal is in flight.

    It outlasts any deadline that is soon.
    """
    slow = threading.Thread(target=lambda: journal.append_slowly("slow", millis=1000))
    slow.start()
    while not journal.pending_reason():
        assert slow.is_alive(), "the call ended before it was seen in flight"
    yield
    slow.join()


def elsewhere(work: Callable[[], object]) -> object:
    """The result of ``work`` on a thread of its own that has ended."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    (result,) = results
    return result


def test_a_close_past_its_deadline_is_withdrawn_and_the_resource_is_open(journal: Journal) -> None:
    async def run() -> None:
        with call_in_flight(journal):
            assert journal.close(deadline_secs=0.001) is False
            with pytest.raises(
                CloseError,
                match=r"^withdrawn, its deadline passed: it waited for 1 call in flight: close of ",
            ):
                await journal.wait_closed()

    asyncio.run(run())
    journal.append("still open")
    assert journal.close() is True
    assert journal.close_result() is True


def test_a_deadline_that_is_not_reached_changes_nothing(journal: Journal) -> None:
    with call_in_flight(journal):
        assert journal.close(deadline_secs=3600) is False
        assert journal.close_result() is False
    assert journal.close_result() is True


@pytest.mark.parametrize("secs", [0, -1, float("nan"), float("inf")])
def test_a_deadline_that_is_not_ahead_is_wrong_use(journal: Journal, secs: float) -> None:
    with pytest.raises(ValueError, match="a deadline lies between now"):
        journal.close(deadline_secs=secs)
    assert journal.close() is True


def test_a_deadline_does_not_outlive_a_close_that_is_refused(journal: Journal) -> None:
    cursor = Cursor(journal)
    assert journal.close(deadline_secs=0.001) is True
    with pytest.raises(ClosedError):
        journal.close(deadline_secs=0.001)
    elsewhere(cursor.close)
    assert cursor.close_result() is False
    assert drain() == 1


def test_a_close_that_was_taken_back_says_so(journal: Journal) -> None:
    with call_in_flight(journal):
        journal.close()
        journal.cancel_close()
        with pytest.raises(CloseError, match="taken back before it ran"):
            journal.close_result()
    journal.close()


def test_without_a_close_there_is_no_result(journal: Journal) -> None:
    with pytest.raises(InspectorError, match="no close of it was asked for"):
        journal.close_result()


def test_an_async_block_lets_the_loop_go_on_while_its_close_drains(journal: Journal) -> None:
    turns: list[bool] = []

    async def turn() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append(journal.close_result() is False)

    async def run() -> None:
        with call_in_flight(journal):
            journal.close()
            turning = asyncio.create_task(turn())
            await journal.wait_closed()
            turning.cancel()

    asyncio.run(asyncio.wait_for(run(), PATIENCE_SECS))
    assert any(turns), "the loop made turns while the close was pending"


def test_an_async_block_ends_when_its_close_has_run(journal: Journal) -> None:
    async def run() -> None:
        with call_in_flight(journal):
            async with journal:
                pass
            assert journal.close_result() is True

    asyncio.run(asyncio.wait_for(run(), PATIENCE_SECS))


def test_a_loop_runs_what_another_thread_asks_its_own_to_close(journal: Journal) -> None:
    async def run() -> None:
        with asyncio_drain():
            cursor = Cursor(journal)
            other = threading.Thread(target=cursor.close)
            other.start()
            await asyncio.wait_for(closed_sometime(cursor), PATIENCE_SECS)
            other.join()

    asyncio.run(run())
    journal.close()


def test_a_loop_runs_what_waited_before_it_was_a_safe_point(journal: Journal) -> None:
    async def run() -> None:
        cursor = Cursor(journal)
        assert elsewhere(cursor.close) is False
        with asyncio_drain():
            assert cursor.close_result() is True

    asyncio.run(run())
    journal.close()


def test_a_loop_is_no_safe_point_after_the_block(journal: Journal) -> None:
    async def run() -> None:
        with asyncio_drain(), asyncio_drain():
            pass
        cursor = Cursor(journal)
        assert elsewhere(cursor.close) is False
        await asyncio.sleep(0)
        assert cursor.close_result() is False
        assert drain() == 1

    asyncio.run(run())
    journal.close()


def test_without_a_running_loop_there_is_no_safe_point() -> None:
    with pytest.raises(RuntimeError, match="no running event loop"), asyncio_drain():
        pass


async def closed_sometime(cursor: Cursor) -> None:
    """Wait for a close that may not have been asked for yet."""
    while True:
        try:
            return await cursor.wait_closed()
        except CloseError:
            raise
        except InspectorError:
            await asyncio.sleep(0)


def test_an_owner_that_ends_runs_what_waits_for_it(journal: Journal) -> None:
    opened, asked = threading.Event(), threading.Event()
    cursors: list[Cursor] = []

    def own() -> None:
        cursors.append(Cursor(journal))
        opened.set()
        asked.wait()

    owner = threading.Thread(target=own)
    owner.start()
    opened.wait()
    assert cursors[0].close() is False
    assert "waits for thread" in cursors[0].pending_reason() or cursors[0].close_result() is False
    asked.set()
    owner.join()
    asyncio.run(asyncio.wait_for(cursors[0].wait_closed(), PATIENCE_SECS))
    journal.close()


def test_after_its_owner_has_ended_whoever_asks_closes(journal: Journal) -> None:
    cursor = elsewhere(lambda: Cursor(journal))
    assert isinstance(cursor, Cursor)
    while cursor.pending_reason():
        pass  # Python joins a thread a moment before its native end
    assert cursor.close() is True
    journal.close()
