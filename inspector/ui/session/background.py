"""Work off the GUI thread in which only the newest request counts: rows of events, sites or marks.

All methods on the GUI thread; the work itself runs on a thread of the runner.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject
from shiboken6 import isValid

from inspector.ui.session.bridge import BackgroundRunner

T = TypeVar("T")


class LatestWork(QObject, Generic[T]):
    """One piece of work at a time for ``owner``.

    Asked for meanwhile, it is done once more afterwards, as it is wished then.

    Neither the runner nor the work keeps ``owner`` alive, and nothing arrives once Qt deleted it.
    """

    def __init__(
        self,
        owner: QObject,
        runner: BackgroundRunner,
        wish: Callable[[], Callable[[], T] | None],
        *,
        on_result: Callable[[T], None],
        on_error: Callable[[BaseException], None],
    ) -> None:
        """``wish`` returns the present work, ``None`` for nothing.

        The work runs on another thread and knows no ``owner``.
        """
        super().__init__(owner)
        self._runner = runner
        self._wish = wish
        self._on_result = on_result
        self._on_error = on_error
        self._round = 0
        self._is_busy = False
        self._again = False

    @property
    def is_busy(self) -> bool:
        """Something is being done, and its result is awaited."""
        return self._is_busy

    @property
    def is_asked_again(self) -> bool:
        """While work runs, more was asked for: it follows."""
        return self._again

    def ask(self) -> None:
        """Do the present work now, or, while other work runs, once more after it."""
        if self._is_busy:
            self._again = True
            return
        work = self._wish()
        if work is None:
            return
        self._is_busy = True
        here, this_round = weakref.ref(self), self._round
        self._runner.run(
            work,
            lambda result: _finish(here, this_round, lambda waiting: waiting._on_result(result)),
            lambda error: _finish(here, this_round, lambda waiting: waiting._on_error(error)),
        )

    def forget(self) -> None:
        """Drop the earlier requests: the target is another, or there is none."""
        self._round += 1
        self._is_busy = self._again = False

    def _finish(self, this_round: int, tell: Callable[[LatestWork[T]], None]) -> None:
        if this_round != self._round:
            return
        self._is_busy = False
        again, self._again = self._again, False
        tell(self)
        if again and this_round == self._round and not self._is_busy:
            self.ask()


def _finish(
    here: weakref.ref[LatestWork[T]], this_round: int, tell: Callable[[LatestWork[T]], None]
) -> None:
    waiting = here()
    if waiting is not None and isValid(waiting):
        waiting._finish(this_round, tell)
