"""A target that works with ``multiprocessing``'s fork.

Steps ``run`` (a child that makes an item and says where its segment is).
"""

from __future__ import annotations

import multiprocessing
import sys

from stepping import serve

from inspector import agent
from inspector.agent.agent import segment_path
from inspector.runtime import TodoItem


def work(results: multiprocessing.SimpleQueue[tuple[str, str]]) -> None:
    results.put((segment_path(), TodoItem("of the child").text))


def run() -> tuple[str, str, int | None]:
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=work, args=(results,))
    child.start()
    path, text = results.get()
    child.join()
    return path, text, child.exitcode


if __name__ == "__main__":
    agent.start(sys.argv[1])
    serve({"run": run})
