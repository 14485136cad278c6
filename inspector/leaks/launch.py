"""Runs a Python program under the agent and lists the objects alive at its end.

It runs the program as ``inspector.agent.launch`` does.

``arc-inspector check`` starts it as its child: ``python …/_arc_inspector.py inspector.leaks.launch
FILE PROGRAM [ARGS…]``. The report is taken when the program's own exit functions have run and the
interpreter is whole. A program that is killed or leaves by ``os._exit`` writes none.
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


class ExitJudge:
    """Writes the report of one program. Used on the thread that runs the program."""

    def __init__(self, segment: str, file: str) -> None:
        """``segment`` is this process's own; the report is written to ``file``."""
        self._segment = segment
        self._file = file
        self._pid = os.getpid()
        self._started = True
        self._failure = ""

    def failed(self, error: BaseException) -> None:
        """Note that the program did not start, or ended with an exception.

        Its traceback holds objects that a program's end would release.
        """
        self._started = not isinstance(error, launch.NotStartedError)
        text = f"{error}".partition("\n")[0]
        self._failure = (
            text if not self._started else f"{type(error).__name__}{f': {text}' if text else ''}"
        )

    def report(self) -> None:
        """Write the handles that are alive now.

        A failure is one line on stderr: the program ends as it would without us.
        """
        if os.getpid() != self._pid:
            return  # a forked child that ends by itself
        try:
            live = LiveHandles(self._segment)
            leaks = live.explained(live.leaks(live.read_after_collection(()).values()))
            value = {
                "leaks": [leak.value() for leak in leaks],
                "started": self._started,
                "failure": self._failure,
            }
            value |= live.measured().value()
            live.close()
            descriptor = os.open(
                self._file,
                os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC,
                0o600,
            )
            with open(descriptor, "w", encoding="utf-8") as out:  # noqa: PTH123 - a descriptor
                json.dump(value, out)
        except Exception as error:  # any exception
            print(f"arc-inspector: {error}: leak report", file=sys.stderr)


def main(words: list[str]) -> int:
    """Run the program; the exit status when it does not raise ``SystemExit`` itself."""
    file, *rest = words
    try:
        _, program = launch.parse(rest)
        path = start(LEVEL, program=program.command)
        judge = ExitJudge(path, file)
        # Registered before anything of the program, so that it runs after all of it, but before the
        # agent's own.
        atexit.register(judge.report)
    except InspectorError as error:
        print(f"arc-inspector: {error}", file=sys.stderr)
        return UsageError.exit_status
    return launch.main(["--level", LEVEL, *rest], failed=judge.failed)
