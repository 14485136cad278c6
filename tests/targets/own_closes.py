"""A target whose program derives from closable types and closes in its own way.

Steps: ``journal N PATH KIND`` (KIND: ``good`` appends a line before the close, ``raising``,
``refusing``, ``grandchild`` of ``good``), ``plain N PATH``, ``cursor N JOURNAL`` (made by the main
thread, its owner), ``slow N MILLIS`` (a call in flight; ``join`` waits for it), ``drain``,
``release N``, ``closed`` (which thread ran the close method of what), ``lines PATH``.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

from stepping import serve

from inspector import agent
from inspector.runtime import Cursor, Journal, drain

CLOSED: list[tuple[str, bool]] = []
"""Names of the methods that ran, and whether on the main thread."""


def note(name: str) -> None:
    CLOSED.append((name, threading.get_ident() == threading.main_thread().ident))


class GoodJournal(Journal):
    def close(self, *, flush: bool = True, deadline_secs: float | None = None) -> bool:
        note("good")
        self.append("bye")
        return super().close(flush=flush, deadline_secs=deadline_secs)


class GrandchildJournal(GoodJournal):
    def close(self, *, flush: bool = True, deadline_secs: float | None = None) -> bool:
        note("grandchild")
        return super().close(flush=flush, deadline_secs=deadline_secs)


class RaisingJournal(Journal):
    def close(self, *, flush: bool = True, deadline_secs: float | None = None) -> bool:
        note("raising")
        raise ValueError("not today")


class RefusingJournal(Journal):
    def close(self, *, flush: bool = True, deadline_secs: float | None = None) -> bool:
        note("refusing")
        return False


class OwnCursor(Cursor):
    def close(self, *, deadline_secs: float | None = None) -> bool:
        note("cursor")
        return super().close(deadline_secs=deadline_secs)


KINDS = {
    "good": GoodJournal,
    "grandchild": GrandchildJournal,
    "raising": RaisingJournal,
    "refusing": RefusingJournal,
    "plain": Journal,
}
THINGS: dict[str, Any] = {}
CALLS: list[threading.Thread] = []


def journal(name: str, path: str, kind: str) -> int:
    THINGS[name] = KINDS[kind](path)
    return int(THINGS[name].handle)


def cursor(name: str, of: str) -> int:
    THINGS[name] = OwnCursor(THINGS[of])
    return int(THINGS[name].handle)


def slow(name: str, millis: str) -> None:
    thing = THINGS[name]
    CALLS.append(
        threading.Thread(target=thing.append_slowly, args=("slow",), kwargs={"millis": int(millis)})
    )
    CALLS[-1].start()
    while not thing.pending_reason():
        pass


def join() -> None:
    while CALLS:
        CALLS.pop().join()


if __name__ == "__main__":
    serve(
        {
            "journal": journal,
            "cursor": cursor,
            "slow": slow,
            "join": join,
            "drain": drain,
            "release": lambda name: THINGS.pop(name).release(),
            "closed": lambda: CLOSED,
            "lines": lambda path: Path(path).read_text().splitlines(),
        },
        forget=THINGS.clear,
        segment=str(agent.start(sys.argv[1] if len(sys.argv) > 1 else "history")),
    )
