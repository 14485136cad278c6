"""A target that keeps a proxy in the places that a person forgets, and takes it out again.

``keep PLACE NAME``, ``free PLACE``.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import functools
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import bdkpython
from stepping import serve

from inspector import agent

REQUEST: contextvars.ContextVar[Any] = contextvars.ContextVar("request_id", default=None)
LOOP = asyncio.new_event_loop()
FAILED: list[Any] = []
SUSPENDED: list[Any] = []
OWNER: list[Any] = []
LOCAL = threading.local()
DONE = threading.Event()
THREADS: list[threading.Thread] = []


class Owner:
    """Has a finalizer."""


def make() -> Any:
    return bdkpython.Amount.from_sat(7)


def flush(_amount: Any) -> None:
    """A callback that is given the proxy."""


async def poll() -> None:
    amount = make()
    raise RuntimeError(str(amount.to_sat()))


async def waits() -> None:
    REQUEST.set(make())
    await LOOP.create_future()


@functools.lru_cache
def cached(_key: int) -> Any:
    return make()


def generated() -> Iterator[int]:
    amount = make()
    yield 1
    amount.to_sat()


def keep_context() -> None:
    REQUEST.set(make())


def free_context() -> None:
    REQUEST.set(None)


def keep_task_context() -> None:
    SUSPENDED.append(LOOP.create_task(waits(), name="request-7"))
    LOOP.run_until_complete(asyncio.sleep(0))


def free_task_context() -> None:
    SUSPENDED[-1].cancel()
    LOOP.run_until_complete(asyncio.wait(SUSPENDED))
    SUSPENDED.clear()


def keep_failed_task() -> None:
    FAILED.append(LOOP.create_task(poll(), name="poll"))
    LOOP.run_until_complete(asyncio.sleep(0))


def free_failed_task() -> None:
    FAILED.pop().exception()


def keep_finalizer() -> None:
    OWNER.append(Owner())
    weakref.finalize(OWNER[-1], flush, make())


def free_finalizer() -> None:
    OWNER.clear()


def keep_thread_local() -> None:
    entered = threading.Event()

    def run() -> None:
        LOCAL.amount = make()
        entered.set()
        DONE.wait()

    THREADS.append(threading.Thread(target=run, name="worker-1"))
    THREADS[-1].start()
    entered.wait()


def free_thread_local() -> None:
    DONE.set()
    THREADS.pop().join()


def keep_cache() -> None:
    cached(1)


def free_cache() -> None:
    cached.cache_clear()


def keep_generator() -> None:
    SUSPENDED.append(generated())
    next(SUSPENDED[-1])


def free_generator() -> None:
    SUSPENDED.pop().close()


def keep_exit_callback() -> None:
    atexit.register(flush, make())


def free_exit_callback() -> None:
    atexit.unregister(flush)


PLACES: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    "context": (keep_context, free_context),
    "task_context": (keep_task_context, free_task_context),
    "failed_task": (keep_failed_task, free_failed_task),
    "finalizer": (keep_finalizer, free_finalizer),
    "thread_local": (keep_thread_local, free_thread_local),
    "cache": (keep_cache, free_cache),
    "generator": (keep_generator, free_generator),
    "exit_callback": (keep_exit_callback, free_exit_callback),
}


def keep(place: str) -> None:
    PLACES[place][0]()


def free(place: str) -> None:
    PLACES[place][1]()
    gc.collect()


if __name__ == "__main__":
    serve({"keep": keep, "free": free}, forget=LOOP.close, segment=agent.start("history"))
