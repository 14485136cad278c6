"""A target whose native threads release Python objects at bad moments.

``dropping.py HOW ROUNDS [LEVEL]``.

``held``: while the main thread keeps the interpreter's lock in a long call. ``ended``: from native
threads that are past the end of their own state. ``local``: from Python threads whose locals end
with them. ``exit``: while the interpreter ends, in its exit functions and after them. The first
three answer ``dropped N``, the Python objects that were released, and then ``left N``, as stepped
targets do.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import random
import sys
import threading
import time
import weakref

from stepping import say

from inspector import agent
from inspector.runtime import Listener, Notice, TodoItem, TodoList, release_elsewhere
from inspector.wire import lib

PATIENCE_SECS = 60.0
KEEPS_THE_LOCK = ctypes.PyDLL(None)
"""Its functions are called with the interpreter's lock."""


class Ear:
    """The Python object that native code holds."""

    def hear(self, notice: Notice, item: TodoItem) -> None:
        """Nothing to be done."""


class Ears:
    """Which of them are still there."""

    def __init__(self) -> None:
        self.gone = 0

    def listened(self) -> TodoList:
        """A list that alone holds its listener, and with it the Python object."""
        ear = Ear()
        weakref.finalize(ear, self._note).atexit = False
        todo = TodoList()
        todo.listen(Listener(ear.hear))
        return todo

    def _note(self) -> None:
        self.gone += 1

    def wait(self, count: int) -> None:
        until_secs = time.monotonic() + PATIENCE_SECS
        while (self.gone < count or lib.ai_live_handles()) and time.monotonic() < until_secs:
            time.sleep(0)


def held(ears: Ears, rounds: int) -> int:
    for _ in range(rounds):
        release_elsewhere(ears.listened(), ears.listened())
        KEEPS_THE_LOCK.usleep(2000)
        ears.listened().release()
    return 3 * rounds


def ended(ears: Ears, rounds: int) -> int:
    for _ in range(rounds):
        release_elsewhere(ears.listened(), ears.listened(), at_thread_end=True)
    return 2 * rounds


def in_thread_locals(ears: Ears, rounds: int) -> int:
    local = threading.local()

    def keep() -> None:
        local.kept = [ears.listened(), ears.listened()]

    for _ in range(rounds):
        thread = threading.Thread(target=keep)
        thread.start()
        thread.join()
    return 2 * rounds


def at_exit(ears: Ears, rounds: int) -> None:
    """Sends lists away from the program, its exit functions, and a thread without a join."""

    def send(count: int) -> None:
        for _ in range(count):
            release_elsewhere(
                ears.listened(),
                pause_millis=random.randrange(60),  # noqa: S311
                at_thread_end=random.random() < 0.5,  # noqa: S311 see above
            )

    def go_on() -> None:
        while True:
            send(1)

    atexit.register(send, rounds)
    threading.Thread(target=go_on, daemon=True).start()
    send(rounds)


def main() -> None:
    how, rounds = sys.argv[1], int(sys.argv[2])
    agent.start(sys.argv[3] if len(sys.argv) > 3 else "count")
    ears = Ears()
    if how == "exit":
        say("ready", {})
        at_exit(ears, rounds)
        return
    say("ready", {})
    ways = {"held": held, "ended": ended, "local": in_thread_locals}
    expected = ways[how](ears, rounds)
    ears.wait(expected)
    gc.collect()
    say("dropped", [ears.gone, expected])
    say("left", lib.ai_live_handles())


if __name__ == "__main__":
    main()
