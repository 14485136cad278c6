"""Steps of a command, which ``--verbose`` says on stderr with their times."""

from __future__ import annotations

import logging
import time
from typing import Final

from inspector.commands.support.output import say_aside

STEPS: Final = logging.getLogger("arc_inspector.steps")
"""Commands tell their steps here; nobody hears them without ``--verbose``."""


def say_steps() -> None:
    """Say each step from now on."""
    STEPS.setLevel(logging.INFO)
    STEPS.propagate = False
    STEPS.handlers = [_Said()]


class _Said(logging.Handler):
    """Writes a step with the seconds since the command began to say them."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Write it; any thread."""
        say_aside(f"{time.monotonic() - self._began:7.3f} s  {record.getMessage()}")
