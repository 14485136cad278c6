"""A target whose objects' counts are known: some rest while threads work on the rest.

``truth.py WAY``: ``prepared`` starts the agent, ``alone`` does not and knows nothing of our
runtime. Every answer lists objects as ``[address, strong, weak, proxies, native]``: the first three
read at the object itself, the last two counted by this program.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import bdkpython.bdk as bdk

BUSY_THREADS = 8
RESTING = 300
BUSY = 60
MOST_PROXIES = 5
MOST_NATIVE = 4
COUNTS_BYTES = 16
"""From an object back to its strong count; the weak count is the word behind that."""
Truth = tuple[int, int, int, int, int]


class Shared(Protocol):
    """One object, the proxies on it, and the references that are none."""

    def change(self, rnd: random.Random) -> None:
        """Make, drop, clone or release at random."""

    def truth(self) -> Truth:
        """The program's own counts."""


class Mnemonic:
    """An object of a package over UniFFI."""

    def __init__(self) -> None:
        self._proxies = [bdk.Mnemonic(bdk.WordCount.WORDS12)]
        self._clones: list[int] = []

    def change(self, rnd: random.Random) -> None:
        chosen = rnd.randrange(5)
        if chosen == 0 and len(self._proxies) < MOST_PROXIES:
            self._proxies.append(bdk.Mnemonic._uniffi_make_instance(self._clone()))
        elif chosen == 1 and len(self._proxies) > 1:
            self._proxies.pop(rnd.randrange(len(self._proxies)))
        elif chosen == 2 and len(self._clones) < MOST_NATIVE:
            self._clones.append(self._clone())
        elif chosen == 3 and self._clones:
            bdk._uniffi_rust_call(bdk._UniffiLib.uniffi_bdkffi_fn_free_mnemonic, self._clones.pop())
        else:
            str(self._proxies[0])

    def _clone(self) -> int:
        handle: int = bdk._uniffi_rust_call(
            bdk._UniffiLib.uniffi_bdkffi_fn_clone_mnemonic, self._proxies[0]._handle
        )
        return handle

    def truth(self) -> Truth:
        address = self._proxies[0]._handle - COUNTS_BYTES
        strong, weak = (ctypes.c_uint64.from_address(address + at).value for at in (0, 8))
        return address, strong, weak - 1, len(self._proxies), len(self._clones)


class Item:
    """An object of our own runtime: native references are lists that hold it."""

    def __init__(self) -> None:
        from inspector.runtime import TodoItem, TodoList
        from inspector.runtime.handles import call_for_number
        from inspector.wire import lib

        self._make_list: Callable[[], Any] = TodoList
        self._address = lambda: call_for_number(lib.ai_handle_address, self._proxies[0].handle)
        self._proxies: list[Any] = [TodoItem("an item")]
        self._lists: list[Any] = []

    def change(self, rnd: random.Random) -> None:
        chosen = rnd.randrange(5)
        if chosen == 0 and self._lists and len(self._proxies) < MOST_PROXIES:
            self._proxies.append(self._lists[0].last())
        elif chosen == 1 and len(self._proxies) > 1:
            self._proxies.pop(rnd.randrange(len(self._proxies)))
        elif chosen == 2 and len(self._lists) < MOST_NATIVE:
            self._lists.append(self._make_list())
            self._lists[-1].add_item(self._proxies[0])
        elif chosen == 3 and self._lists:
            self._lists.pop()
        else:
            assert self._proxies[0].text

    def truth(self) -> Truth:
        counts = self._proxies[0].counts()
        return self._address(), counts.strong, counts.weak, len(self._proxies), len(self._lists)


class Program:
    """The objects, and the threads that keep some of them busy."""

    def __init__(self, kinds: Sequence[Callable[[], Shared]]) -> None:
        self._resting = [kinds[number % len(kinds)]() for number in range(RESTING)]
        self._busy = [kinds[number % len(kinds)]() for number in range(BUSY)]
        self._locks = [threading.Lock() for _ in self._busy]
        self._runs = threading.Event()
        self._ends = False
        self._gate = threading.Condition()
        self._waiting = 0
        self._threads = [
            threading.Thread(target=self._work, args=(number,)) for number in range(BUSY_THREADS)
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, number: int) -> None:
        rnd = random.Random(number)  # noqa: S311 - repeatable
        while True:
            self._pass_gate()
            if self._ends:
                return
            chosen = rnd.randrange(len(self._busy))
            with self._locks[chosen]:
                self._busy[chosen].change(rnd)
            time.sleep(0.001)

    def _pass_gate(self) -> None:
        with self._gate:
            self._waiting += 1
            self._gate.notify_all()
            self._gate.wait_for(lambda: self._runs.is_set() or self._ends)
            self._waiting -= 1

    def _hold(self) -> None:
        """All threads wait at the gate."""
        self._runs.clear()
        with self._gate:
            self._gate.wait_for(lambda: self._waiting == BUSY_THREADS)

    def release(self) -> None:
        """The threads work on."""
        self._runs.set()
        with self._gate:
            self._gate.notify_all()

    def busy(self, seed: str) -> list[Truth]:
        """Change some of the resting objects, while threads work on the rest; lists them."""
        self.release()
        self._change(seed)
        return [each.truth() for each in self._resting]

    def still(self, seed: str) -> list[Truth]:
        """Hold the threads, and change some of the resting objects. Lists all."""
        self._hold()
        self._change(seed)
        return [each.truth() for each in (*self._resting, *self._busy)]

    def _change(self, seed: str) -> None:
        rnd = random.Random(seed)  # noqa: S311 - repeatable
        for each in rnd.sample(self._resting, RESTING // 4):
            for _ in range(rnd.randrange(1, 6)):
                each.change(rnd)

    def end(self) -> None:
        """Join the threads."""
        self._ends = True
        self.release()
        for thread in self._threads:
            thread.join()


def lines() -> Iterator[list[str]]:
    for line in sys.stdin:
        yield line.split()


def main(way: str) -> None:
    ready: dict[str, Any] = {"pid": os.getpid()}
    kinds: list[Callable[[], Shared]] = [Mnemonic]
    if way == "prepared":
        from inspector import agent

        ready["segment"] = agent.start()
        kinds.append(Item)
    program = Program(kinds)
    print("ready", json.dumps(ready), flush=True)
    for word, seed in lines():
        print(
            word, json.dumps({"busy": program.busy, "still": program.still}[word](seed)), flush=True
        )
    program.end()


main(sys.argv[1])
