"""A target whose threads have the smallest stacks that there are. It forks as ``forking`` does."""

from __future__ import annotations

import os
import threading

from forking import Program, run

from inspector import agent
from inspector.errors import HandleError
from inspector.runtime import TodoItem, TodoList

SMALLEST = 32 << 10


def use_handles() -> None:
    """Births, ends and a refused call, with the stack of each recorded."""
    items = [TodoItem(f"{number}") for number in range(50)]
    todo = TodoList()
    for item in items:
        item.release()
    todo.release()
    try:
        print(items[0].text)
    except HandleError:
        return
    raise AssertionError("a released handle works")


class SmallStacks(Program):
    STEPS = (*Program.STEPS, "stack", "pid", "on_threads")

    def start(self, level: str = "stacks") -> str:
        return agent.start(level)

    def stack(self) -> int:
        """Set it; returns the old value."""
        return threading.stack_size(SMALLEST)

    def pid(self) -> int:
        return os.getpid()

    def on_threads(self, count: str) -> list[str]:
        """The results of using handles on so many threads."""
        said: list[str] = []

        def use() -> None:
            try:
                use_handles()
            except Exception as error:  # the test reports the error
                said.append(f"{error}")
            else:
                said.append("no error")

        threads = [threading.Thread(target=use) for _ in range(int(count))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return said


if __name__ == "__main__":
    run(SmallStacks())
