"""Closes that an event loop of the program is asked to run, and that a viewer takes back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from inspector.agent.adapters.loops import Ending, LoopCall, take_back
from inspector.errors import InspectorError

ROW = 7


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs on a thread of its own."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    if not made.is_closed():
        made.call_soon_threadsafe(made.stop)
        thread.join()
        made.close()


class Program:
    """A closing method that waits, and the endings that were told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.begun, self.over = threading.Event(), threading.Event()
        self.endings: list[Ending] = []
        self.call = LoopCall(loop, self.close, self.ended, row=ROW)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(self.begun.set)  # runs when this waits
        await loop.create_future()

    def ended(self, ending: Ending, error: BaseException | None) -> None:
        self.endings.append(ending)
        self.over.set()


def test_a_close_that_runs_is_cancelled_on_its_loop(loop: asyncio.AbstractEventLoop) -> None:
    program = Program(loop)
    assert program.call.start()
    assert program.begun.wait(60)
    assert take_back([program.call], ROW) == "cancelling"
    assert program.over.wait(60)
    assert program.endings == [Ending.CANCELLED]
    assert take_back([program.call], ROW) is None


def test_a_close_that_has_not_begun_is_never_called(loop: asyncio.AbstractEventLoop) -> None:
    program, gate, entered = Program(loop), threading.Event(), threading.Event()
    loop.call_soon_threadsafe(lambda: (entered.set(), gate.wait()))
    assert entered.wait(60)
    assert program.call.start()
    assert take_back([program.call], ROW + 1) is None
    assert take_back([program.call], ROW) == "taken_back"
    gate.set()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(60)
    assert (program.endings, program.begun.is_set()) == ([Ending.TAKEN_BACK], False)


def test_a_loop_that_was_closed_cannot_cancel() -> None:
    loop = asyncio.new_event_loop()
    program = Program(loop)
    assert program.call.start()
    loop.run_until_complete(asyncio.sleep(0.0))
    task = asyncio.all_tasks(loop)
    loop.close()
    with pytest.raises(InspectorError, match="its event loop has ended"):
        take_back([program.call], ROW)
    for each in task:
        each.get_coro().close()  # type: ignore[union-attr]  # a coroutine
