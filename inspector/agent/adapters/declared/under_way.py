"""Closing methods that ran already when their class was followed.

No hook saw them begin, and none sees them end.

A close that hangs is usually met in this way: the viewer comes because the program hangs. The
frames of all threads tell which closing methods run, and for which proxy. Worker thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any

from inspector.agent.adapters.declared.library_rows import LibraryRows
from inspector.agent.adapters.declared.recorder import DeclaredRecorder
from inspector.agent.adapters.declared.rows import DeclaredRows
from inspector.agent.adapters.running_frames import frames_of, thread_labels
from inspector.runtime.sites import SiteTable
from inspector.wire.schema import SITE_FRAMES

LOOKS: int = 8
"""Looks after a class was followed: its instances get their rows by then. A close that is found is
looked at until it ends."""


class ClosesUnderWay:
    """The closing methods of all declared classes that began before their hooks were set."""

    def __init__(self, recorder: DeclaredRecorder, sites: SiteTable) -> None:
        """Follows no class yet."""
        self._recorder, self._sites = recorder, sites
        self._codes: dict[CodeType, DeclaredRows | LibraryRows] = {}
        self._running: dict[int, DeclaredRows | LibraryRows] = {}
        self._threads: dict[int, str] = {}
        """Name of the thread that runs each close, by its row."""
        self._looks_left = 0

    def follow(self, cls: type, names: Iterable[str], rows: DeclaredRows | LibraryRows) -> None:
        """Look for these methods of a class whose hooks are not set yet."""
        found = [getattr(cls, name, None) for name in names]
        codes = {method.__code__: rows for method in found if isinstance(method, FunctionType)}
        self._codes |= codes
        self._looks_left = LOOKS if codes else self._looks_left

    def look(self) -> None:
        """Mark the closes that run, and unmark those that have ended."""
        if not self._codes or not (self._looks_left or self._running):
            return
        self._looks_left = max(0, self._looks_left - 1)
        running: dict[int, DeclaredRows | LibraryRows] = {}
        threads: dict[int, str] = {}
        names = thread_labels()
        for row, _, number, frame in self._found():
            if row in self._running or self._recorder.close_is_under_way(
                row, self._sites.of(frame.f_back, SITE_FRAMES)
            ):
                running[row] = self._codes[frame.f_code]
                threads[row] = names.get(number, "")
        ended = [(row, rows) for row, rows in self._running.items() if row not in running]
        self._running, self._threads = running, threads
        for row, rows in ended:
            self._end(row, rows)

    def told(self) -> list[list[int | str]]:
        """The closes that run, each with its row and the name of its thread, for a viewer."""
        return [[row, name] for row, name in list(self._threads.items()) if name]

    def running(self) -> dict[int, Any]:
        """The objects whose closing method runs now, by their row."""
        return {row: proxy for row, proxy, _, _ in self._found()}

    def forget(self) -> None:
        """Stop looking; rows stay as they are."""
        self._codes.clear()
        self._running.clear()
        self._threads.clear()

    def _found(self) -> Iterator[tuple[int, Any, int, FrameType]]:
        """Row and object of each closing method that runs now, its thread's number and frame."""
        for number, frame in frames_of(self._codes):
            code = frame.f_code
            proxy = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
            row = 0 if proxy is None else self._codes[code].row_of(proxy)
            if row > 0:
                yield row, proxy, number, frame
            del proxy

    def _end(self, row: int, rows: DeclaredRows | LibraryRows) -> None:
        """A close has ended.

        The proxy is asked first, so the row of a closed proxy ends and is never called open.
        """
        proxy = rows.proxy(row)
        if proxy is not None:
            rows.observe(proxy)
        self._recorder.close_ended(row)
