"""``python -m inspector.demo [--seconds S] [--calm]``: the sample target under its own agent.

Says ``ready {json}`` on stdout when everything runs. Ends on SIGTERM, on Ctrl-C, when a pipe at its
stdin closes, or after ``--seconds``.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import stat
import sys
import threading

from inspector.agent.process import start, stop
from inspector.demo.program import Demo, Options
from inspector.errors import InspectorError


def main() -> int:
    """Run the demo; the exit status."""
    words = parse(sys.argv[1:])
    stopping, ready = threading.Event(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        segment = start(words.level)
    except InspectorError as error:
        print(f"arc-inspector: {error}", file=sys.stderr)
        return error.exit_status
    threading.Thread(target=announce, args=(ready, segment), name="announcer", daemon=True).start()
    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        threading.Thread(
            target=stop_with_stdin, args=(stopping,), name="stdin", daemon=True
        ).start()
    Demo(Options(seconds=words.seconds, calm=words.calm), stopping).run(ready)
    stop()
    return 0


def parse(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m inspector.demo", description="A to-do application to inspect."
    )
    parser.add_argument("--seconds", type=float, default=None, help="end after so long")
    parser.add_argument(
        "--calm", action="store_true", help=("a fixed sequence that then stands still")
    )
    parser.add_argument(
        "--level", default="stacks", help=("what is recorded: count, history, stacks")
    )
    return parser.parse_args(words)


def announce(ready: threading.Event, segment: str) -> None:
    """Tell the starter of the demo that it is ready."""
    ready.wait()
    print("ready", json.dumps({"pid": os.getpid(), "segment": segment}), flush=True)


def stop_with_stdin(stopping: threading.Event) -> None:
    """End when the other side of the pipe is gone.

    Reads the descriptor: a thread blocked in ``sys.stdin`` would hold its lock at exit.
    """
    while os.read(sys.stdin.fileno(), 4096):
        continue
    stopping.set()


if __name__ == "__main__":
    sys.exit(main())
