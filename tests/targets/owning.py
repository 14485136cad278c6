"""A target over every ownership strategy: each handle has a name, every step is one line.

Steps: ``make KIND N`` (``serial``, ``shared``, ``thin``: a list), ``journal KIND N PATH``,
``clone N M``, ``drop N``, ``spoil N`` (a call panics inside), ``use N MILLIS`` (a journal's call of
so long, on a thread of its own; ``join`` waits for it), ``close N``, ``foreign N`` (a Python object
that closes, held by native code), ``enter N`` and ``leave N`` (a use of it), ``shut N`` (how often
it was).
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import Any

from stepping import serve

from inspector import agent
from inspector.errors import NativePanicError
from inspector.runtime import (
    ForeignObjects,
    SerialJournal,
    SerialTodoList,
    SharedJournal,
    SharedTodoList,
    ThinJournal,
    ThinTodoList,
)

LISTS = {"serial": SerialTodoList, "shared": SharedTodoList, "thin": ThinTodoList}
JOURNALS = {"serial": SerialJournal, "shared": SharedJournal, "thin": ThinJournal}


class Door:
    """Counts how often it was shut."""

    def __init__(self) -> None:
        self.times = 0

    def shut(self) -> None:
        self.times += 1


class Program:
    """The objects of the steps."""

    def __init__(self) -> None:
        self.named: dict[str, Any] = {}
        self.doors = ForeignObjects("Door", "owning", closes_by="shut")
        self.numbers: dict[str, int] = {}
        self.made: weakref.WeakValueDictionary[str, Door] = weakref.WeakValueDictionary()
        self.uses: dict[str, Any] = {}
        self.user: threading.Thread | None = None

    def keep(self, name: str, thing: Any) -> int:
        self.named[name] = thing
        return int(thing.handle)

    def make(self, kind: str, name: str) -> int:
        return self.keep(name, LISTS[kind]())

    def journal(self, kind: str, name: str, path: str) -> int:
        return self.keep(name, JOURNALS[kind](path))

    def clone(self, name: str, other: str) -> int:
        return self.keep(other, self.named[name].clone())

    def drop(self, name: str) -> None:
        del self.named[name]

    def spoil(self, name: str) -> None:
        with contextlib.suppress(NativePanicError):
            self.named[name].item_at(99)

    def use(self, name: str, millis: str) -> str:
        journal = self.named[name]
        self.user = threading.Thread(
            target=lambda: journal.append("slow", millis=int(millis)), name="user"
        )
        self.user.start()
        while not journal.pending_reason():
            pass
        return str(journal.pending_reason())

    def join(self) -> None:
        assert self.user is not None
        self.user.join()

    def close(self, name: str) -> bool:
        return bool(self.named[name].close())

    def foreign(self, name: str) -> int:
        self.made[name] = door = Door()
        self.numbers[name] = self.doors.new(door)
        return self.numbers[name]

    def enter(self, name: str) -> None:
        self.uses[name] = self.doors.using(self.numbers[name])
        self.uses[name].__enter__()

    def leave(self, name: str) -> None:
        self.uses.pop(name).__exit__(None, None, None)

    def shut(self, name: str) -> int:
        return self.made[name].times

    def let_go(self) -> None:
        self.named.clear()
        for number in self.numbers.values():
            self.doors.delete(number)
        self.numbers.clear()


def main() -> None:
    segment = str(agent.start("count"))
    program = Program()
    names = (
        "make",
        "journal",
        "clone",
        "drop",
        "spoil",
        "use",
        "join",
        "close",
        "foreign",
        "enter",
        "leave",
        "shut",
    )
    serve({name: getattr(program, name) for name in names}, forget=program.let_go, segment=segment)


if __name__ == "__main__":
    main()
