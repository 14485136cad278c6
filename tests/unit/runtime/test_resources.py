"""Closing: opt-in, at most once, by the type's own method, later when it must be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.errors import ClosedError
from inspector.runtime import Cursor, Handle, Journal, Resource, TodoList, drain


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.txt")
    yield journal
    journal.release()


def test_leaving_the_block_closes_and_the_handle_lives_on(journal: Journal) -> None:
    with journal as entered:
        assert entered is journal
        journal.append("line")
    with pytest.raises(ClosedError, match="Journal"):
        journal.append("after")
    assert journal.counts().strong == 1


def test_leaving_the_block_by_an_error_closes_as_well(journal: Journal) -> None:
    with pytest.raises(ValueError, match="mine"), journal:
        raise ValueError("mine")
    with pytest.raises(ClosedError):
        journal.close()


def test_a_block_whose_resource_was_closed_inside_ends_quietly(journal: Journal) -> None:
    with journal:
        assert journal.close(flush=False) is True


def test_closing_twice_is_an_error_that_says_so(journal: Journal) -> None:
    journal.close()
    with pytest.raises(ClosedError, match=r"Journal"):
        journal.close()


def test_a_type_that_did_not_opt_in_has_no_context_manager() -> None:
    assert not hasattr(TodoList, "__enter__")
    assert not hasattr(TodoList(), "close")


def test_a_type_that_opts_in_must_say_how_it_closes() -> None:
    with pytest.raises(TypeError, match="Vague does not say which of its methods closes it"):

        class Vague(Handle, Resource):
            pass


def test_a_type_closes_by_its_own_method_and_arguments() -> None:
    class Valve(Resource, closes_by="shut", closes_with={"turns": 3}):
        def __init__(self) -> None:
            self.shut_with: list[int] = []

        def shut(self, *, turns: int) -> None:
            self.shut_with.append(turns)

    class SmallValve(Valve):
        pass

    with Valve() as valve, SmallValve() as small:
        pass
    assert (valve.shut_with, small.shut_with) == ([3], [3])


def test_an_async_block_closes_too(journal: Journal) -> None:
    async def use() -> None:
        async with journal:
            journal.append("line")

    asyncio.run(use())
    with pytest.raises(ClosedError):
        journal.close()


def test_a_close_during_a_call_is_pending_and_runs_with_the_calls_end(journal: Journal) -> None:
    began, end = threading.Event(), threading.Event()
    slow = threading.Thread(
        target=lambda: (began.set(), journal.append_slowly("slow", millis=1000), end.set())
    )
    slow.start()
    began.wait()
    while not journal.pending_reason():
        assert not end.is_set(), "the call ended before it was seen in flight"
    assert "in flight" in journal.pending_reason()
    assert journal.close() is False
    with pytest.raises(ClosedError):
        journal.append("after the close was asked for")
    slow.join()
    with pytest.raises(ClosedError):
        journal.close()


def test_a_pending_close_can_be_taken_back(journal: Journal) -> None:
    began = threading.Event()
    slow = threading.Thread(
        target=lambda: (began.set(), journal.append_slowly("slow", millis=1000))
    )
    slow.start()
    began.wait()
    while not journal.pending_reason():
        pass
    assert journal.close() is False
    journal.cancel_close()
    slow.join()
    journal.append("still open")
    assert journal.close() is True


def test_a_close_on_another_thread_waits_for_the_owner_to_come_by(journal: Journal) -> None:
    cursor = Cursor(journal)
    answers: list[bool] = []
    other = threading.Thread(target=lambda: answers.append(cursor.close()))
    other.start()
    other.join()
    assert answers == [False]
    assert drain() == 1
    with pytest.raises(ClosedError):
        cursor.close()
    assert drain() == 0
    journal.close()


def test_nothing_to_wait_for_is_no_reason(journal: Journal) -> None:
    assert journal.pending_reason() == ""
    journal.close()
    with pytest.raises(ClosedError):
        journal.pending_reason()
