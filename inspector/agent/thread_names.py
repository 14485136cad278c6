"""Gives the recorder the names that Python's threads have.

Before Python 3.14 the system does not know them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from inspector.agent.plain import python_threads, thread_of
from inspector.wire import lib
from inspector.wire.text import text_argument

BIRTH: Final = "_set_native_id"
"""The private method of ``threading.Thread`` that runs first on a new thread. Where it is missing,
names come with ``report`` alone."""


class ThreadNames:
    """Names of threads: at their birth, and of renamed and older threads with ``report``."""

    __slots__ = ("_born", "_texts")

    def __init__(self) -> None:
        """Nothing is handed over until ``attach`` or ``report``."""
        self._born: Callable[[threading.Thread], None] | None = None
        # Encoded names: threads start and end, names repeat, and an encoded name costs a lookup.
        self._texts: dict[str, tuple[Any, int]] = {}

    def attach(self) -> None:
        """Name all threads that live now, and from now on each thread at its birth.

        Many threads do not live until the next ``report``.
        """
        lib.ai_thread_here()
        self.report()
        born = getattr(threading.Thread, BIRTH, None)
        if born is None:
            return

        def name_at_birth(thread: threading.Thread) -> None:
            born(thread)
            lib.ai_thread_here()
            name, number = thread_of(thread)
            if number is not None:
                lib.ai_thread_name(number, *text_argument(name))

        self._born = born
        setattr(threading.Thread, BIRTH, name_at_birth)

    def detach(self) -> None:
        """Undo ``attach``. Twice does nothing."""
        if self._born is not None:
            setattr(threading.Thread, BIRTH, self._born)
            self._born = None

    def report(self) -> int:
        """Hand over the names of all threads that live now; returns how many.

        A thread that touched no handle yet has no place for it.
        """
        texts = {}
        threads = python_threads()
        for thread in threads.values():
            name, number = thread_of(thread)
            text = texts[name] = self._texts.get(name) or text_argument(name)
            if number is not None:
                lib.ai_thread_name(number, *text)
        self._texts = texts
        return len(threads)
