"""A target that ends while handles are held in every place that interpreters clear late.

Says nothing but ``ready``.
"""

from __future__ import annotations

import atexit
import builtins
import sys
import threading

from stepping import say

from inspector import agent
from inspector.runtime import Churn, Listener, Notice, TodoItem, TodoList

KEPT = [TodoItem("module global"), TodoList()]


class Holder:
    """Uses its handles in ``__del__``, when the interpreter is half torn down."""

    def __init__(self) -> None:
        self.todo = TodoList()
        self.todo.add_text("held")

    def __del__(self) -> None:
        assert len(self.todo) == 1
        self.todo.last().release()


class Knot:
    def __init__(self) -> None:
        self.itself = self
        self.holder = Holder()


def hear(notice: Notice, item: TodoItem) -> None:
    KEPT.append(item)


def daemon(started: threading.Event) -> None:
    item = TodoItem("on a daemon thread")
    started.set()
    while True:
        item.clone()


def changing(started: threading.Event) -> None:
    """Is called back without end, also while the interpreter ends."""
    todo = TodoList()
    todo.listen(Listener(lambda notice, item: None))
    started.set()
    while True:
        todo.add_text("on a daemon thread")


def main() -> None:
    if sys.argv[1] != "none":
        agent.start(sys.argv[1])
    builtins.held_by_builtins = Holder()
    sys.held_by_sys = Knot()
    KEPT.append(Knot())
    heard = TodoList()
    heard.listen(Listener(hear))
    heard.add_text("heard")
    KEPT.append(heard)
    KEPT.append(Churn(threads=2, per_second=1000))
    atexit.register(lambda: KEPT.append(heard.add_text("at exit")))
    for work in (daemon, changing, changing):
        started = threading.Event()
        threading.Thread(target=work, args=(started,), daemon=True).start()
        started.wait()
    say("ready", {})


if __name__ == "__main__":
    main()
