"""Closes and asyncio: an event loop as a safe point.

A coroutine waits for a pending close without holding the loop up.

Native code reports on any thread when a close begins to wait for its owner and when a close has
ended; nothing is polled. ``asyncio`` is imported only in a program that has a loop already, so a
target without a loop does not pay for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from inspector.runtime.foreign import callback
from inspector.wire import lib

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop


class CloseWatch:
    """Event loops that listen for closes.

    Without a lock: each method is single operations of dicts, and news come on any thread.
    """

    __slots__ = ("_is_told", "_loops", "_tokens", "_waiters")

    def __init__(self) -> None:
        """There is no listener yet; the first listener makes native code report."""
        self._is_told = False
        self._tokens = itertools.count(1)
        self._loops: dict[int, AbstractEventLoop] = {}
        self._waiters: dict[int, tuple[int, AbstractEventLoop, Callable[[], None]]] = {}

    @contextmanager
    def draining(self, loop: AbstractEventLoop) -> Iterator[None]:
        """Within the block, a close queued to this thread wakes ``loop``, which runs it.

        On the loop's thread.
        """
        thread = lib.ai_thread_here()
        self._be_told()
        before = self._loops.get(thread)
        self._loops[thread] = loop
        lib.ai_drain()  # closes that came before there was a listener
        try:
            yield
        finally:
            if before is None:
                del self._loops[thread]
            else:
                self._loops[thread] = before

    @contextmanager
    def waiting(
        self, handle: int, loop: AbstractEventLoop, wake: Callable[[], None]
    ) -> Iterator[None]:
        """Have ``loop`` call ``wake`` within the block, at each end of a close.

        The close is of the handle's object.
        """
        self._be_told()
        token = next(self._tokens)
        self._waiters[token] = handle, loop, wake
        try:
            yield
        finally:
            del self._waiters[token]

    def take(self, news: int, handle: int, thread: int) -> None:
        """Native code has news. Any thread; a loop that has ended meanwhile needs none."""
        with suppress(RuntimeError):
            if news == lib.AiCloseNews_WaitsForOwner:
                if (loop := self._loops.get(thread)) is not None:
                    loop.call_soon_threadsafe(lib.ai_drain)
                return
            for wanted, loop, wake in list(self._waiters.values()):
                if wanted == handle:
                    loop.call_soon_threadsafe(wake)

    def _be_told(self) -> None:
        """Make native code report from now on."""
        if not self._is_told:
            lib.ai_close_listen(_TAKE)
            self._is_told = True


WATCH: Final = CloseWatch()
"""One a process: native code tells one listener."""


def _take(news: int, handle: int, thread: int) -> None:
    """See ``CloseWatch.take``."""
    WATCH.take(news, handle, thread)


_TAKE: Final = callback("ai_python_take", _take)


@contextmanager
def asyncio_drain() -> Iterator[None]:
    """Makes the running event loop a safe point of its thread within the block.

    The block is in a coroutine.

    A close that another thread asks for and that only this thread may run wakes the loop and runs
    in its next turn; an earlier close runs at once. Raises ``RuntimeError`` where no loop runs.
    """
    import asyncio

    with WATCH.draining(asyncio.get_running_loop()):
        yield


async def wait_ended(handle: int, is_pending: Callable[[], bool]) -> None:
    """Wait, without holding the loop up, until no close of the handle's object is pending."""
    import asyncio

    ended = asyncio.Event()
    with WATCH.waiting(handle, asyncio.get_running_loop(), ended.set):
        while is_pending():
            await ended.wait()
            ended.clear()
