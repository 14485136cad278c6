"""Runs a Python program under the agent as ``inspector.agent.launch`` does, and writes down what is alive when it ends.

What ``arc-inspector check`` starts as its child: ``python -m inspector.leaks.launch FILE [-m] TARGET [ARGS…]``. The report is taken
when the program's own exit functions have run and the interpreter is whole; one that is killed, or leaves by ``os._exit``, writes none.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from typing import Final

from inspector.agent import launch
from inspector.agent.process import start
from inspector.errors import InspectorError, UsageError
from inspector.leaks.live import LiveHandles

LEVEL: Final = "stacks"


def main(words: list[str]) -> int:
    """Run the program; the exit status when it does not raise ``SystemExit`` itself."""
    file, *rest = words
    try:
        _, is_module, target, arguments = launch.parse(rest)
        path = start(LEVEL, program=" ".join([sys.executable, *(["-m"] if is_module else []), target, *arguments]))
        # Registered before anything of the program, so that it runs after all of it, but before the agent's own.
        atexit.register(report, path, file, os.getpid())
    except InspectorError as error:
        print(f"arc-inspector: {error}", file=sys.stderr)
        return UsageError.exit_status
    return launch.main(["--level", LEVEL, *rest])


def report(segment: str, file: str, pid: int) -> None:
    """Write what is alive now. What fails is one line on stderr: the program ends as it would without us."""
    if os.getpid() != pid:
        return  # a forked child that ends by itself
    try:
        live = LiveHandles(segment)
        leaks = live.leaks(live.read_after_collection(()).values())
        live.close()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as out:  # noqa: PTH123 - a descriptor
            json.dump({"leaks": [leak.value() for leak in leaks]}, out)
    except Exception as error:  # whatever it is
        print(f"arc-inspector: {error}: leak report", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
