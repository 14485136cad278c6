"""A target over the runtime's sample types.

Every handle it holds has a name, every step is one line.

Arguments: the level to start the agent at (default ``history``), or ``none`` to start without an
    agent.

Steps: ``list N``, ``item N TEXT``, ``add LIST ITEM``, ``text LIST TEXT [ITEM]``, ``last LIST N``,
``clone N M``, ``release N``, ``drop N``, ``journal N PATH``, ``append N LINE``,
``append_slowly N LINE MILLIS`` (in flight on its own thread; ``join`` waits for it), ``close N``,
``cursor N JOURNAL`` (owned by a thread of its own that does not come by until ``visit N``),
``cycle N`` (a list in a garbage cycle; from then on only ``gc`` and viewers collect), ``gc``,
``churn THREADS PER_SECOND``, ``calm``, ``many COUNT``, ``label N NAME`` (native code holds it under
that name until ``unlabel NAME``), ``listening N`` (a list that calls back), ``knot N`` (one whose
listener holds it: a cycle across the boundary; ``cut`` takes it apart), ``forget``, ``numbers``,
``level NAME``, ``stop``, ``start``.
"""

from __future__ import annotations

import gc
import queue
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

from stepping import serve

from inspector import agent
from inspector.runtime import (
    Churn,
    Cursor,
    Journal,
    Label,
    Listener,
    Notice,
    TodoItem,
    TodoList,
    drain,
)


class Errand:
    """A thread that runs the functions sent to it and otherwise reaches no safe point."""

    def __init__(self, name: str) -> None:
        self._errands: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (errand := self._errands.get()) is not None:
            try:
                self._results.put(errand())
            except Exception as error:  # handed to the asker
                self._results.put(error)

    def do(self, errand: Callable[[], Any]) -> Any:
        self.begin(errand)
        return self.result()

    def begin(self, errand: Callable[[], Any]) -> None:
        self._errands.put(errand)

    def result(self) -> Any:
        result = self._results.get()
        if isinstance(result, Exception):
            raise result
        return result

    def has_result(self) -> bool:
        return not self._results.empty()

    def end(self) -> None:
        self._errands.put(None)
        self._thread.join()


class Watcher:
    """Listens to a list, and may hold it."""

    def __init__(self) -> None:
        self.items: TodoList | None = None

    def added(self, what: Notice, item: TodoItem) -> None:
        """A list changed."""


class Program:
    """The objects of the steps."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}
        self.errands: dict[str, Errand] = {}
        self.kept: list[Any] = []
        self.labels: dict[str, Label] = {}
        self.watchers: list[weakref.ref[Watcher]] = []

    def _let_go(self) -> None:
        """Everything ends: threads end, handles are released."""
        for errand in self.errands.values():
            errand.end()
        if (churn := self.named.pop("churn", None)) is not None:
            churn.stop()
        self.errands.clear()
        self.named.clear()
        self.kept.clear()
        self.cut()
        while self.labels:
            self.labels.popitem()[1].drop()

    def keep(self, name: str, thing: Any) -> int:
        self.named[name] = thing
        return int(thing.handle)

    def list(self, name: str) -> int:
        return self.keep(name, TodoList())

    def item(self, name: str, text: str) -> int:
        return self.keep(name, TodoItem(text))

    def add(self, todo: str, item: str) -> None:
        self.named[todo].add_item(self.named[item])

    def text(self, todo: str, text: str, item: str = "") -> int | None:
        made = self.named[todo].add_text(text)
        return self.keep(item, made) if item else None

    def last(self, todo: str, name: str) -> int:
        return self.keep(name, self.named[todo].last())

    def clone(self, name: str, other: str) -> int:
        return self.keep(other, self.named[name].clone())

    def release(self, name: str) -> None:
        self.named[name].release()

    def drop(self, name: str) -> None:
        del self.named[name]

    def journal(self, name: str, path: str) -> int:
        return self.keep(name, Journal(path))

    def append(self, name: str, line: str) -> None:
        self.named[name].append(line)

    def append_slowly(self, name: str, line: str, millis: str) -> None:
        journal = self.named[name]
        errand = self.errands[f"slow-{name}"] = Errand(f"slow-{name}")
        errand.begin(lambda: journal.append_slowly(line, millis=int(millis)))
        while not journal.pending_reason() and not errand.has_result():
            pass

    def join(self, name: str) -> None:
        errand = self.errands.pop(f"slow-{name}")
        errand.result()
        errand.end()

    def close(self, name: str) -> None:
        self.named[name].close()

    def cursor(self, name: str, journal: str) -> int:
        errand = self.errands[name] = Errand(f"owner-{name}")
        opened = self.named[journal]
        return self.keep(name, errand.do(lambda: Cursor(opened)))

    def visit(self, name: str) -> int:
        return int(self.errands[name].do(drain))

    def cycle(self, name: str) -> int:
        gc.disable()  # an automatic collection must not free the garbage of a forced one before
        todo = TodoList()
        knot: list[Any] = [todo]
        knot.append(knot)
        return int(todo.handle)

    def label(self, name: str, label: str) -> None:
        self.labels[label] = Label(self.named[name], label)

    def unlabel(self, label: str) -> None:
        self.labels.pop(label).drop()

    def listening(self, name: str) -> int:
        watcher = Watcher()
        todo = TodoList()
        todo.listen(Listener(watcher.added))
        return self.keep(name, todo)

    def knot(self, name: str) -> int:
        watcher = Watcher()
        self.watchers.append(weakref.ref(watcher))
        watcher.items = TodoList()
        watcher.items.listen(Listener(watcher.added))
        return int(watcher.items.handle)

    def cut(self) -> None:
        for reference in self.watchers:
            watcher = reference()
            if watcher is not None:
                watcher.items = None
        self.watchers.clear()

    def gc(self) -> int:
        return gc.collect()

    def churn(self, threads: str, per_second: str) -> None:
        self.named["churn"] = Churn(threads=int(threads), per_second=int(per_second))

    def calm(self) -> None:
        self.named.pop("churn").stop()

    def many(self, count: str) -> int:
        self.kept.extend(TodoItem("kept") for _ in range(int(count)))
        return len(self.kept)

    def forget(self) -> None:
        self.kept.clear()

    def numbers(self) -> dict[str, int]:
        return {name: int(thing.handle) for name, thing in self.named.items()}

    def level(self, name: str) -> None:
        agent.set_level(name)

    def stop(self) -> None:
        agent.stop()

    def start(self, level: str = "history") -> str:
        return str(agent.start(level=level))


def main() -> None:
    level = sys.argv[1] if len(sys.argv) > 1 else "history"
    segment = "" if level == "none" else str(agent.start(level=level))
    program = Program()
    steps = {
        name: getattr(program, name)
        for name in dir(program)
        if callable(getattr(program, name)) and not name.startswith("_")
    }
    serve(steps, forget=program._let_go, segment=segment)


if __name__ == "__main__":
    main()
