"""A target of extremes: a thousand threads, a thread per request, long names, many sites.

Argument: the level.

Steps: ``threads COUNT`` (each makes an item and stays), ``part`` (these threads end), ``requests
COUNT`` (a thread for each; it makes an item and releases it), ``named LENGTH`` (a row of a type
with such a name), ``sites COUNT`` (an item from each of so many functions), ``forget``.
"""

from __future__ import annotations

import sys
import threading

from stepping import serve

from inspector import agent
from inspector.agent.adapters.recorder import Recorder
from inspector.runtime import TodoItem
from inspector.vocabulary import Kind

KEPT: list[TodoItem] = []


class Crowd:
    """Threads that wait until they may end."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._may_end = threading.Event()

    def threads(self, count: str) -> int:
        ready = threading.Semaphore(0)
        for number in range(int(count)):
            thread = threading.Thread(target=self._stay, args=(ready,), name=f"crowd-{number}")
            thread.start()
            self._threads.append(thread)
        for _ in self._threads:
            ready.acquire()
        return len(self._threads)

    def part(self) -> None:
        self._may_end.set()
        while self._threads:
            self._threads.pop().join()
        self._may_end.clear()

    def _stay(self, ready: threading.Semaphore) -> None:
        KEPT.append(TodoItem("kept"))
        ready.release()
        self._may_end.wait()


def requests(count: str) -> None:
    for _ in range(int(count)):
        thread = threading.Thread(target=lambda: TodoItem("request"), name="request")
        thread.start()
        thread.join()


def named(length: str) -> int:
    recorder = Recorder()
    kind = recorder.type_index(name="N" * int(length), origin="extremes", kind=Kind.ARC)
    return recorder.add(kind, 4096, 0, 0)


def sites(count: str) -> int:
    lines = "\n".join(f"def make_{number}(): return TodoItem('x')" for number in range(int(count)))
    made: dict[str, object] = {"TodoItem": TodoItem}
    exec(compile(lines, "generated.py", "exec"), made)  # noqa: S102 - functions by the thousand
    KEPT.extend(made[f"make_{number}"]() for number in range(int(count)))  # type: ignore[operator]
    return len(KEPT)


if __name__ == "__main__":
    crowd = Crowd()
    steps = (crowd.threads, crowd.part, requests, named, sites)
    serve(
        {step.__name__: step for step in steps} | {"forget": KEPT.clear},
        forget=KEPT.clear,
        segment=agent.start(sys.argv[1]),
    )
