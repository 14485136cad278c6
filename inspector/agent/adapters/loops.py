"""The program's event loops, and closers that are coroutine functions.

Only the loop's own thread may run such a closer.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum
from types import CoroutineType, FrameType, FunctionType
from typing import Any, Final

from inspector.errors import InspectorError

RUNNING: Final = ("run_forever", "run_until_complete", "run")
"""Functions of event loops and runners that are on the stack while a loop runs; their ``self``
leads to it."""
CO_COROUTINE: Final = 0x80
"""Flag of coroutine functions, as ``inspect`` has it, which a target need not load for this."""


def running_loops() -> list[Any]:
    """The event loops of asyncio that run now, on whatever thread.

    A program that never imported asyncio has none.
    """
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return []
    found: dict[int, Any] = {}
    for innermost in sys._current_frames().values():
        frame: FrameType | None = innermost
        while frame is not None:
            if frame.f_code.co_name in RUNNING and "self" in frame.f_code.co_varnames:
                runs = frame.f_locals.get("self")
                loop = (
                    getattr(runs, "_loop", None)
                    if type(runs) is getattr(asyncio, "Runner", None)
                    else runs
                )
                if isinstance(loop, asyncio.AbstractEventLoop) and loop.is_running():
                    found[id(loop)] = loop
            frame = frame.f_back
    return list(found.values())


def loop_trouble(method: str, loops: list[Any]) -> str:
    """Why a coroutine method cannot be run now; ``""`` when exactly one loop runs."""
    if len(loops) == 1:
        return ""
    why = (
        f"{len(loops)} event loops run, and which of them it belongs to is not known"
        if loops
        else "no event loop runs"
    )
    return f"{method} is a coroutine, and {why}"


def is_coroutine_function(function: object) -> bool:
    """Whether calls of a function have to be awaited, as far as its code tells."""
    return type(function) is FunctionType and bool(function.__code__.co_flags & CO_COROUTINE)


class Ending(Enum):
    """How a coroutine that a loop was asked to run came to its end."""

    RAN = "it ran"
    FAILED = "it failed"
    CANCELLED = "it was cancelled half-way"
    EXPIRED = "it was withdrawn at its deadline, before it began"
    NEVER_BEGAN = "its event loop ended before it began"
    TAKEN_BACK = "it was taken back before it began"
    ABANDONED = "its event loop ended before it did"


UNBEGUN: Final = (Ending.NEVER_BEGAN, Ending.EXPIRED, Ending.TAKEN_BACK)
"""Endings of calls that the program's method never saw."""


class LoopCall:
    """A call of a coroutine function that an event loop of the program is asked to make.

    ``start`` and ``look`` are for the worker thread. ``ended`` is called once, on the loop's thread
    or the worker's, with the ending and what the call raised.
    """

    def __init__(
        self,
        loop: Any,
        call: Callable[[], Any],
        ended: Callable[[Ending, BaseException | None], None],
        *,
        row: int = 0,
        within_secs: float | None = None,
    ) -> None:
        """Asks for nothing yet.

        ``within_secs``: a call that has not ended by then is withdrawn, or cancelled. ``row`` is
        the row of the object that the call closes.
        """
        self.row = row
        self._loop = loop
        self._call = call
        self._ended: Callable[[Ending, BaseException | None], None] | None = ended
        self._due = None if within_secs is None else time.monotonic() + within_secs
        self._task: Any = None
        self._timer: Any = None
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._ended is None

    def told(self) -> list[float | None]:
        """The row and when the call is withdrawn, seconds since the Unix epoch; ``None``: never.

        For viewers.
        """
        due = None if self._due is None else time.time() + self._due - time.monotonic()
        return [self.row, due]

    def start(self) -> bool:
        """Ask the loop; false when it is closed already."""
        try:
            self._loop.call_soon_threadsafe(self._begin)
        except RuntimeError:
            return False
        return True

    def look(self) -> None:
        """End closes whose loop was closed, or whose deadline passed before the loop ran."""
        if self._loop.is_closed():
            self._end(Ending.NEVER_BEGAN if self._task is None else Ending.ABANDONED)
        elif self._due is not None and time.monotonic() >= self._due:
            self._end_unbegun(Ending.EXPIRED)

    def take_back(self) -> bool:
        """End the call if it has not begun, otherwise have its loop cancel it.

        Whether it had not begun. Raises ``RuntimeError``: the loop is closed.
        """
        if self._end_unbegun(Ending.TAKEN_BACK):
            return True
        task = self._task
        if task is not None:
            self._loop.call_soon_threadsafe(task.cancel)
        return False

    def _begin(self) -> None:
        """On the loop's thread."""
        with self._lock:
            if self._ended is None:
                return
            try:
                made = self._call()
                self._task = sys.modules["asyncio"].ensure_future(made, loop=self._loop)
            except Exception as error:  # what the program's method raises is the answer
                failure: Exception | None = error
            else:
                failure = None
        if failure is not None:
            self._end(Ending.FAILED, failure)
            return
        if self._due is not None:
            self._timer = self._loop.call_later(
                max(0.0, self._due - time.monotonic()), self._task.cancel
            )
        self._task.add_done_callback(self._done)

    def _done(self, task: Any) -> None:
        """On the loop's thread."""
        if self._timer is not None:
            self._timer.cancel()
        error = None if task.cancelled() else task.exception()
        self._end(
            Ending.CANCELLED
            if task.cancelled()
            else Ending.RAN
            if error is None
            else Ending.FAILED,
            error,
        )

    def _end_unbegun(self, ending: Ending) -> bool:
        """End the call unless the loop has begun it; whether this ended it."""
        with self._lock:
            if self._task is not None or self._ended is None:
                return False
            ended, self._ended = self._ended, None
            self._call = _nothing
        ended(ending, None)
        return True

    def _end(self, ending: Ending, error: BaseException | None = None) -> None:
        """Once; keeps nothing of the program's afterwards."""
        with self._lock:
            ended, self._ended = self._ended, None
            self._call, self._task = _nothing, None
        if ended is not None:
            ended(ending, error)


def take_back(calls: Iterable[LoopCall], row: int) -> str | None:
    """Take back the call that closes a row's object.

    ``taken_back``, or ``cancelling`` where it runs already; ``None``: none of these calls closes
    it. Raises ``InspectorError``: its loop is closed.
    """
    for call in list(calls):
        if call.row == row and not call.is_over:
            try:
                return "taken_back" if call.take_back() else "cancelling"
            except RuntimeError as error:
                raise InspectorError(f"its event loop has ended: {error}") from error
    return None


def _nothing() -> None:
    """Stands for a call that is over."""


def give_up(made: object) -> None:
    """Close a coroutine that nobody will await, so that the interpreter does not warn of it."""
    if type(made) is CoroutineType:
        made.close()
