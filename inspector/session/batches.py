"""Requests about more handles than a target takes at once.

They are asked in batches and answered as one request.

Pure; any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from inspector.errors import ControlError
from inspector.session.protocol import CloseAnswer

HANDLES_AT_ONCE: Final = 1000
"""Of one request: the target takes no more."""

Ask = Callable[[list[int]], tuple[CloseAnswer, ...]]


def ask_in_batches(
    ask: Ask, handles: Sequence[int], *, at_once: int = HANDLES_AT_ONCE
) -> tuple[CloseAnswer, ...]:
    """Answers in the order of ``handles``.

    Raises the ``ControlError`` of the first batch. When a later batch fails, the earlier answers
    are kept: the remaining handles are answered as ``failed``, with the reason.
    """
    answers = list(ask(list(handles[:at_once])))
    for first in range(at_once, len(handles), at_once):
        try:
            answers += ask(list(handles[first : first + at_once]))
        except ControlError as error:
            return (
                *answers,
                *(CloseAnswer(handle, "failed", str(error)) for handle in handles[first:]),
            )
    return tuple(answers)
