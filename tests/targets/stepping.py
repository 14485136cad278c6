"""The loop of a target program.

Says ``ready``, then runs one step for each line of stdin until stdin closes.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from inspector.wire import lib


def say(word: str, value: Any = None) -> None:
    """One line to the test."""
    print(word if value is None else f"{word} {json.dumps(value)}", flush=True)


def serve(
    steps: Mapping[str, Callable[..., Any]],
    *,
    forget: Callable[[], None] | None = None,
    **ready: Any,
) -> None:
    """Run steps by name, with the line's other words as text arguments.

    An exception is answered, not fatal.

    Every step's answer is ``name json``; a step that raises answers ``error {"type", "message"}``.
    With ``forget``, which drops all objects of the steps, the last line is ``left N``: the handles
    that are still live.
    """
    say("ready", {"pid": os.getpid(), **ready})
    for line in sys.stdin:
        name, *args = line.split()
        try:
            value = steps[name](*args)
        except Exception as error:  # the test judges the error
            say("error", {"type": type(error).__name__, "message": str(error)})
        else:
            say(name, value)
    if forget is not None:
        forget()
        gc.collect()
        say("left", lib.ai_live_handles())
