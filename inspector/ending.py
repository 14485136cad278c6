"""Signals that end a command: quietly, with the status that shells know, and after its final work.

Kept small: it is loaded before anything else of the viewer. Main thread.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import Final

from inspector.systems import known_signals

ENDING: Final = known_signals("SIGINT", "SIGTERM", "SIGHUP")
_UNTOUCHED: Final = (signal.SIG_DFL, signal.default_int_handler)


class EndedBySignalError(KeyboardInterrupt):
    """A signal asked the command to end."""

    def __init__(self, number: int) -> None:
        """With the signal's number."""
        super().__init__()
        self.exit_status = status_of(number)


def status_of(number: int) -> int:
    """The exit status of a command that a signal ended."""
    return 128 + number


INTERRUPTED_STATUS: Final = status_of(signal.SIGINT)
"""The exit status of a command that Ctrl+C ended."""


def end_on_signals() -> None:
    """Have the signals that end a command raise ``EndedBySignalError``.

    Ignored signals, as under ``nohup``, stay ignored.
    """
    for number in ENDING:
        if signal.getsignal(number) in _UNTOUCHED:
            signal.signal(number, _end)


def end_at_once() -> None:
    """From here on, with all work done, the system ends the process without a word."""
    for number in ENDING:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> None:
    raise EndedBySignalError(number)
