"""Gives the recorder the names that Python's threads have; the system does not know them before Python 3.14. Worker thread."""

from __future__ import annotations

import threading
from typing import Any

from inspector.wire import lib
from inspector.wire.text import text_argument


class ThreadNames:
    """Names by kernel thread id, handed over again and again: a thread that touched no handle yet has no slot to keep it."""

    __slots__ = ("_texts",)

    def __init__(self) -> None:
        """Nothing is handed over until ``report``."""
        # Encoded names: threads come and go, names repeat, and an encoded one costs a lookup.
        self._texts: dict[str, tuple[Any, int]] = {}

    def report(self) -> int:
        """Hand over the names of all threads that live now; returns how many."""
        threads = threading.enumerate()
        texts = {}
        for thread in threads:
            text = texts[thread.name] = self._texts.get(thread.name) or text_argument(thread.name)
            if thread.native_id is not None:
                lib.ai_thread_name(thread.native_id, *text)
        self._texts = texts
        return len(threads)
