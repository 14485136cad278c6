"""Collects garbage on the GUI thread alone, as long as worker threads of the window may run.

Python collects on the thread that happens to allocate, and widgets are often part of a cycle. A
widget that is deleted on another thread leaves Qt's lists of widgets broken, and the process
crashes later, somewhere else.
"""

from __future__ import annotations

import gc
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject, QTimer

INTERVAL_MILLIS: Final = 100


class GarbageCollection(QObject):
    """The application's collection: automatic collections are off while it has holders.

    GUI thread.
    """

    def __init__(self, parent: QObject | None) -> None:
        """Changes nothing before the first holder."""
        super().__init__(parent)
        self._holders: set[int] = set()
        self._was_enabled = False
        self._timer = QTimer(self, interval=INTERVAL_MILLIS)
        self._timer.timeout.connect(collect_what_is_due)

    def hold(self, holder: QObject) -> None:
        """Collect here until this holder releases."""
        if not self._holders:
            self._was_enabled = gc.isenabled()
            gc.disable()
            self._timer.start()
        self._holders.add(id(holder))

    def release(self, holder: QObject) -> None:
        """The holder's threads end. Releasing twice is once."""
        self._holders.discard(id(holder))
        if not self._holders and self._timer.isActive():
            self._timer.stop()
            if self._was_enabled:
                gc.enable()


def garbage_collection() -> GarbageCollection:
    """The one of this application."""
    application = QCoreApplication.instance()
    found = application.findChild(GarbageCollection) if application is not None else None
    return found or GarbageCollection(application)


def collect_what_is_due() -> None:
    """Collect the oldest generation above its threshold, as the interpreter would."""
    due = [
        number
        for number, (count, limit) in enumerate(
            zip(gc.get_count(), gc.get_threshold(), strict=True)
        )
        if count > limit > 0
    ]
    if due:
        gc.collect(due[-1])
