"""Starts the agent in any Python program of this environment when ``ARC_INSPECTOR`` is set.

Imported by a ``.pth`` line.

It runs before the program, while the interpreter starts: any failure here is one line on stderr and
never stops the program. ``ARC_INSPECTOR_LEVEL`` is the recording level while no viewer asks for
more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

OWN_COMMANDS: Final = frozenset({"arc-inspector", "_arc_inspector.py"})
OPTIONS_WITH_VALUE: Final = frozenset({"-W", "-X", "--check-hash-based-pycs"})
TARGET_MODULES: Final = ("inspector.demo",)
"""Modules of this package that are programs to look at; the launcher starts the agent itself."""


def is_own_process(words: Sequence[str]) -> bool:
    """Whether a command line is the inspector's own, which is never a target of itself."""
    rest = iter(words[1:])
    for word in rest:
        if word == "-m":
            module = next(rest, "")
            return module.split(".", 1)[0] == "inspector" and module not in TARGET_MODULES
        if word in OPTIONS_WITH_VALUE:
            next(rest, None)
        elif word == "-c":
            return False
        elif not word.startswith("-"):
            return word.rpartition("/")[2] in OWN_COMMANDS
    return False


def autostart() -> None:
    """Start the agent unless this process is the inspector's own."""
    if is_own_process(sys.orig_argv):
        return
    try:
        from inspector.agent.agent import segment_path
        from inspector.agent.process import start

        # this is another interpreter of the process, which reads the same lines at its start
        if segment_path():
            return
        start(os.environ.get("ARC_INSPECTOR_LEVEL") or "count")
    except Exception as error:  # the program must run on after any error
        print(f"arc-inspector: {error}", file=sys.stderr)


autostart()
