"""A target that forks.

The child is a stepped target of its own, on two pipes: ``tell STEP…`` lets it do a step.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from stepping import serve

from inspector import agent
from inspector.agent.agent import segment_path
from inspector.runtime import TodoItem
from inspector.wire import lib


class Program:
    PARENT = ("fork", "tell", "end_child")
    STEPS: tuple[str, ...] = (
        *PARENT,
        "item",
        "release",
        "text",
        "segment",
        "live",
        "start",
        "stop",
        "room",
        "fill",
        "empty",
    )

    def __init__(self) -> None:
        self.items: dict[str, TodoItem] = {}
        self.to_child: Any = None
        self.from_child: Any = None
        self.child = 0

    def item(self, name: str) -> int:
        self.items[name] = TodoItem(name)
        return self.items[name].handle

    def release(self, name: str) -> None:
        self.items.pop(name).release()

    def text(self, name: str) -> str:
        return self.items[name].text

    def segment(self) -> str:
        return segment_path()

    def live(self) -> int:
        return int(lib.ai_live_handles())

    def start(self) -> str:
        return agent.start("count")

    def stop(self) -> None:
        agent.stop()

    def room(self, mebibytes: str) -> None:
        """From now on the address space may grow by so much."""
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(
            resource.RLIMIT_AS, (used + (int(mebibytes) << 20), resource.RLIM_INFINITY)
        )

    def fill(self, left_kib: str) -> None:
        """Leave so much of the file system in which segments lie."""
        place = Path(os.environ["XDG_RUNTIME_DIR"])
        free = os.statvfs(place)
        with (place / "filler").open("ab") as filler:
            os.posix_fallocate(
                filler.fileno(), 0, free.f_bavail * free.f_frsize - (int(left_kib) << 10)
            )

    def empty(self) -> None:
        (Path(os.environ["XDG_RUNTIME_DIR"]) / "filler").unlink()

    def fork(self) -> int:
        down, up = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(down[0], 0)
            os.dup2(up[1], 1)
            for end in (*down, *up):
                os.close(end)
            sys.stdin = os.fdopen(0, "r", closefd=False)
            sys.stdout = os.fdopen(1, "w", closefd=False)
            run(self)
            sys.exit(0)
        os.close(down[0])
        os.close(up[1])
        self.to_child, self.from_child = os.fdopen(down[1], "w"), os.fdopen(up[0], "r")
        self.child = child
        self.from_child.readline()
        return child

    def tell(self, *words: str) -> Any:
        """Let the child do a step; its answer."""
        self.to_child.write(" ".join(words) + "\n")
        self.to_child.flush()
        word, _, rest = self.from_child.readline().partition(" ")
        assert word.strip() == words[0], f"{word} {rest}"
        return json.loads(rest) if rest else None

    def end_child(self) -> int:
        self.to_child.close()
        _, status = os.waitpid(self.child, 0)
        return os.waitstatus_to_exitcode(status)


def run(program: Program) -> None:
    serve({name: getattr(program, name) for name in program.STEPS}, segment=segment_path())


if __name__ == "__main__":
    if sys.argv[1] != "none":
        agent.start(sys.argv[1])
    run(Program())
