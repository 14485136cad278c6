"""Closing under every strategy: the same journal, closed in the same way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.errors import ClosedError, CloseError, StaleHandleError, WrongTypeError
from inspector.runtime import SerialJournal, SharedJournal, ThinJournal
from inspector.runtime.handles import call
from inspector.vocabulary import Kind
from inspector.wire import lib

AnyJournal = SerialJournal | SharedJournal | ThinJournal
EVERY: tuple[type[AnyJournal], ...] = (SerialJournal, SharedJournal, ThinJournal)
LONG_MILLIS = 300


@pytest.fixture(params=EVERY, ids=lambda kind: kind.__name__)
def journal(request: pytest.FixtureRequest, tmp_path: Path, counting: None) -> Iterator[AnyJournal]:
    chosen: type[AnyJournal] = request.param
    journal = chosen(tmp_path / "journal.txt")
    yield journal
    journal.release()


def append_on_a_thread(journal: AnyJournal) -> threading.Thread:
    """A call in flight, which has begun when this returns."""
    thread = threading.Thread(target=lambda: journal.append("slow", millis=LONG_MILLIS))
    thread.start()
    while not journal.pending_reason():
        assert thread.is_alive(), "the call was over before it was seen"
    return thread


def test_leaving_the_block_closes_and_the_handle_lives_on(
    journal: AnyJournal, tmp_path: Path
) -> None:
    with journal as entered:
        entered.append("line")
        assert entered.lines == 1
    with pytest.raises(ClosedError, match=rf"{type(journal).__name__}\) was closed by thread"):
        journal.append("after")
    assert journal.counts().strong == 1
    assert (tmp_path / "journal.txt").read_text() == "line\n"


def test_a_second_close_says_who_closed_it_first(journal: AnyJournal) -> None:
    closer = threading.Thread(target=journal.close, kwargs={"flush": False}, name="first")
    closer.start()
    closer.join()
    with pytest.raises(ClosedError, match="was closed by thread"):
        journal.close()


def test_another_handle_is_closed_with_it(journal: AnyJournal) -> None:
    other = journal.clone()
    journal.close()
    with pytest.raises(ClosedError):
        other.append("line")
    other.release()


def test_a_close_during_a_call_waits_for_its_end(journal: AnyJournal) -> None:
    call_in_flight = append_on_a_thread(journal)
    assert journal.pending_reason() == "waits for 1 call in flight"
    assert journal.close() is False
    with pytest.raises(ClosedError, match="was asked to close by"):
        journal.append("too late")
    call_in_flight.join()
    assert journal.close_result() is True


def test_async_with_ends_when_the_pending_close_has_run(journal: AnyJournal) -> None:
    async def main() -> threading.Thread:
        async with journal:
            return append_on_a_thread(journal)

    call_in_flight = asyncio.run(main())
    assert journal.close_result() is True
    call_in_flight.join()


def test_a_pending_close_is_taken_back_and_withdrawn_at_its_deadline(journal: AnyJournal) -> None:
    call_in_flight = append_on_a_thread(journal)
    assert journal.close() is False
    journal.cancel_close()
    assert journal.close(deadline_secs=0.001) is False
    call_in_flight.join()
    with pytest.raises(
        CloseError, match=("withdrawn, its deadline passed: it waited for 1 call in flight")
    ):
        journal.close_result()
    journal.append("still open")


def test_a_journal_of_another_strategy_is_of_the_wrong_type(journal: AnyJournal) -> None:
    kinds = {Kind.MUTEX_MAP, Kind.ARC_MAP, Kind.THIN} - {journal.kind}
    for kind in kinds:
        with pytest.raises(WrongTypeError):
            call(lib.ai_owned_journal_close, kind, journal.handle, 1)


def test_a_released_journal_cannot_be_closed(tmp_path: Path, counting: None) -> None:
    for make in EVERY:
        journal = make(tmp_path / "journal.txt")
        journal.release()
        with pytest.raises(StaleHandleError, match="was released by thread"):
            journal.close()
