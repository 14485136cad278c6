"""A gateway that leaks in two ways, on an event loop of its own.

Each note waits for an acknowledgement. Every third acknowledgement never comes, and a set keeps the
task that waits for it. Each fourth connection stays subscribed to the bus when it closes.

Steps: ``calm`` (no more notes), ``forget``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from stepping import serve

from inspector import agent
from inspector.runtime import TodoItem, TodoList

BACKGROUND: set[asyncio.Task[str]] = set()
LISTENERS: list[Callable[[], None]] = []
PAUSE_SECS = 0.02


class Connection:
    """Subscribes to the bus while it is open."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = TodoList()
        LISTENERS.append(self.tick)

    def tick(self) -> None:
        """The bus calls it."""

    def close(self) -> None:
        """Unsubscribe; the early return forgets to."""
        if self.number % 4 == 0:
            return
        LISTENERS.remove(self.tick)


async def wait_for_ack(note: TodoItem, acked: asyncio.Event) -> str:
    """The peer answers, or never does."""
    await acked.wait()
    return note.text


async def publish(number: int) -> None:
    """Send a note; its task is kept until the acknowledgement comes."""
    note = TodoItem(f"note {number}")
    acked = asyncio.Event()
    task = asyncio.create_task(wait_for_ack(note, acked))
    BACKGROUND.add(task)
    task.add_done_callback(BACKGROUND.discard)
    if number % 3:
        asyncio.get_running_loop().call_later(PAUSE_SECS, acked.set)


class Gateway:
    """Runs the loop on a thread."""

    def __init__(self) -> None:
        self._is_calm = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="loop")
        self._thread.start()

    def calm(self) -> None:
        """No more notes; the loop ends."""
        self._is_calm.set()
        self._thread.join()

    def forget(self) -> None:
        """Everything ends."""
        self.calm()
        BACKGROUND.clear()
        LISTENERS.clear()

    async def _serve(self) -> None:
        number = 0
        while not self._is_calm.is_set():
            number += 1
            connection = Connection(number)
            await publish(number)
            await asyncio.sleep(PAUSE_SECS)
            connection.close()


def main() -> None:
    segment = str(agent.start(level="stacks"))
    gateway = Gateway()
    serve({"calm": gateway.calm}, forget=gateway.forget, segment=segment)


if __name__ == "__main__":
    main()
