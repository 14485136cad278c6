"""The end of widgets, for tests that nothing is left of them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QWidget


def what_is_left(widget: list[QWidget], parts: Sequence[str]) -> list[str]:
    """Delete the only widget of the list, as its window would; names of its parts (attributes) that live on, ``"itself"`` for the widget.

    It comes in a list so that the caller holds no reference of its own.
    """
    left = {"itself": weakref.ref(widget[0])} | {part: weakref.ref(getattr(widget[0], part)) for part in parts}
    widget[0].close()
    widget.pop().deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    return [name for name, reference in left.items() if reference() is not None]
