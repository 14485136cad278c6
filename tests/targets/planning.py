"""A target that stops with a record on its way.

An item is in a buffer, in a planner's board or in proxies, as the steps say.

Steps: ``item`` (its handle), ``lower N`` (a record that has the item N times, into a buffer),
``end`` (of that buffer), ``break`` (a record whose lowering fails half-way), ``keep N`` (in the
planner), ``fetch`` (the board, not lifted yet), ``lift`` (proxies), ``forget``.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

from stepping import serve

from inspector import agent
from inspector.runtime import Board, Planner, TodoItem, TodoList
from inspector.runtime.compounds import Lifting, Lowering
from inspector.runtime.handles import call
from inspector.wire import lib


class Program:
    """The objects of the steps."""

    def __init__(self) -> None:
        self.item = TodoItem("milk")
        self.list = TodoList()
        self.planner = Planner()
        self.on_the_way = ExitStack()
        self.back: Lifting | None = None
        self.board: Board | None = None

    def board_of(self, times: str) -> Board:
        return Board("week", self.list, columns=[[self.item] * int(times)])

    def lower(self, times: str) -> None:
        to = self.on_the_way.enter_context(Lowering())
        self.board_of(times).write(to)

    def break_(self) -> None:
        stale = TodoItem("gone")
        stale.release()
        self.planner.exchange(Board("week", self.list, columns=[[self.item, stale]]))

    def keep(self, times: str) -> None:
        self.planner.exchange(self.board_of(times))

    def fetch(self) -> None:
        self.back = self.on_the_way.enter_context(Lifting())
        call(lib.ai_planner_board, self.planner.handle, self.back.out)

    def lift(self) -> None:
        back = self.back
        assert back is not None
        self.board = back.optional(lambda: Board.read(back))

    def end(self) -> None:
        self.on_the_way.close()

    def forget(self) -> None:
        self.board = None
        self.planner.exchange(None)

    def leave(self) -> None:
        self.end()
        del self.item, self.list, self.planner, self.board


if __name__ == "__main__":
    program = Program()
    serve(
        {
            "item": lambda: program.item.handle,
            "lower": program.lower,
            "break": program.break_,
            "keep": program.keep,
            "fetch": program.fetch,
            "lift": program.lift,
            "end": program.end,
            "forget": program.forget,
        },
        forget=program.leave,
        segment=str(agent.start(sys.argv[1] if len(sys.argv) > 1 else "history")),
    )
