"""Archives: journals and a cursor whose closes wait.

A journal's close waits for a slow append; the cursor's owner thread never runs it.

A viewer may close any of them at any time; ``ClosedError`` is therefore expected everywhere here.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from inspector.errors import ClosedError
from inspector.runtime import Cursor, Journal, drain

SLOW_MILLIS: Final = 25_000
"""What a slow append takes: as long does a close wait for it."""
CALM_MILLIS: Final = 3_600_000
PAUSE_SECS: Final = 4.0


class Archivist:
    """Appends slowly on one thread while another thread asks for the close.

    The close is pending until the append ends, and then drains.
    """

    def __init__(
        self, folder: Path, stopping: threading.Event, *, slow_millis: int = SLOW_MILLIS
    ) -> None:
        """Writes its journals into ``folder``. Not started yet."""
        self._folder = folder
        self._stopping = stopping
        self._slow_millis = slow_millis
        self.close_waits = threading.Event()
        """Set once a close was asked for, or will not be."""
        # Daemons: they sit in native calls of many seconds, for which the end of the program does
        # not wait.
        self.thread = threading.Thread(target=self._run, name="archivist", daemon=True)

    def _run(self) -> None:
        """One journal after the other."""
        number = 0
        while not self._stopping.is_set():
            number += 1
            with suppress(ClosedError):
                self.archive(Journal(self._folder / f"journal-{number}.txt"))
            self._stopping.wait(PAUSE_SECS)

    def archive(self, journal: Journal) -> None:
        """Begin a slow append elsewhere, ask for the close here, and wait for the append."""
        journal.append("opened")
        began = threading.Event()
        writer = threading.Thread(
            target=self._append, args=(journal, began), name="slow-writer", daemon=True
        )
        writer.start()
        began.wait()
        try:
            self._close_in_use(journal, writer)
        finally:
            self.close_waits.set()
        writer.join()

    def _append(self, journal: Journal, began: threading.Event) -> None:
        """The slow append: a call in flight."""
        began.set()
        with suppress(ClosedError):
            journal.append_slowly("the day's minutes", millis=self._slow_millis)

    def _close_in_use(self, journal: Journal, writer: threading.Thread) -> None:
        """Ask for the close once the append is in flight.

        Before, it would close at once and the append would be refused.
        """
        while not journal.pending_reason():
            if self._stopping.wait(0.01) or not writer.is_alive():
                return
        journal.close(flush=True)


class Reader:
    """Opens a cursor and then waits, and with it each thread that closes the cursor."""

    def __init__(self, folder: Path, stopping: threading.Event) -> None:
        """Not started yet."""
        self._folder = folder
        self._stopping = stopping
        self._opened = threading.Event()
        self._cursor: Cursor | None = None
        self.thread = threading.Thread(target=self._run, name="reader")

    def _run(self) -> None:
        """Open, read a line, and sit there; come by at the very end."""
        with Journal(self._folder / "index.txt") as index:
            index.append("first page")
            self._cursor = Cursor(index)
            next(self._cursor, None)
            self._opened.set()
            self._stopping.wait()
            drain()

    def close_from_outside(self) -> None:
        """Ask for the cursor's close on the caller's thread: it stays pending."""
        self._opened.wait()
        if self._cursor is not None:
            with suppress(ClosedError):
                self._cursor.close()
