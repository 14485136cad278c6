"""A target that starts and stops its agent by steps, and reports the traces."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from pathlib import Path

from stepping import serve

from inspector import agent
from inspector.wire import lib

HEAVY = (
    "PySide6",
    "numpy",
    "pyqtgraph",
    "psutil",
    "asyncio",
    "typer",
    "rich",
    "inspector.model",
    "inspector.ui",
    "inspector.attach",
)


def heavy_modules() -> list[str]:
    return [name for name in HEAVY if name in sys.modules]


def native_threads() -> int:
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208


def open_files() -> list[str]:
    return sorted(
        str(link.readlink())
        for link in Path("/proc/self/fd").iterdir()
        if link.is_symlink() and link.exists()
    )


def traces() -> dict[str, object]:
    """The traces that a running agent would show."""
    return {
        "native_threads": native_threads(),
        "python_threads": sorted(thread.name for thread in threading.enumerate()),
        "gc_callbacks": len(gc.callbacks),
        "sockets": sum(name.startswith("socket:") for name in open_files()),
        "is_running": agent.is_running(),
    }


def exit_functions() -> int:
    return atexit._ncallbacks()


def often(times: str) -> None:
    for _ in range(int(times)):
        agent.start()
        agent.stop()


def start(level: str = "count") -> str:
    return agent.start(level)


def is_published() -> int:
    return int(lib.ai_is_running())


if __name__ == "__main__":
    serve(
        {
            "start": start,
            "stop": agent.stop,
            "traces": traces,
            "often": often,
            "heavy": heavy_modules,
            "exits": exit_functions,
            "published": is_published,
        }
    )
