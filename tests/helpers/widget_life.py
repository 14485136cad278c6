"""The end of widgets, for tests that nothing is left of them."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget


def what_is_left(widget: list[QWidget]) -> list[str]:
    """Delete the only widget of the list, as its window would.

    Classes of its parts that live on, ``"itself"`` for the widget.

    The caller passes it in a list and holds no reference of its own. Parts are the product's own Qt
    objects below the widget, timers, and the product's other objects that an attribute of the
    widget refers to.
    """
    left: list[tuple[str, weakref.ref[Any]]] = [("itself", weakref.ref(widget[0]))]
    left += [(type(part).__name__, weakref.ref(part)) for part in _parts(widget[0])]
    assert len(left) > 1, "a widget without parts proves nothing"
    widget[0].close()
    widget.pop().deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    return [name for name, reference in left if reference() is not None]


def _parts(widget: QWidget) -> Iterator[Any]:
    yield from (
        child
        for child in widget.findChildren(QObject)
        if _is_ours(child) or isinstance(child, QTimer)
    )
    yield from (
        value
        for value in vars(widget).values()
        if _is_ours(value) and not isinstance(value, QObject)
    )


def _is_ours(value: object) -> bool:
    """Of a class of the product that can be referred to weakly; snapshots and themes cannot."""
    kind = type(value)
    return kind.__module__.startswith("inspector.") and kind.__weakrefoffset__ != 0
