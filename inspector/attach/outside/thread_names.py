"""Thread names of a program, read from its ``threading.Thread`` objects.

The system has them only from CPython 3.14 on.

One thread.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from inspector.attach.outside import layout as at
from inspector.attach.outside.heap import Classes
from inspector.attach.outside.memory import Addresses
from inspector.attach.outside.objects import Objects

CLASS_NAME: Final = b"Thread\0"
NAME: Final = "_name"
NUMBER: Final = "_native_id"
"""Attribute with the system's number of a thread, in the innermost of its namespaces."""


def thread_classes(objects: Objects, classes: Classes) -> Addresses:
    """``threading.Thread`` and its derived classes.

    Any other class of that name has no such attributes.
    """
    names = objects.memory.gather(classes.bodies.words(at.TYPE_NAME), len(CLASS_NAME))
    is_named = np.array([row.tobytes() == CLASS_NAME for row in names.data], np.bool_)
    rows, bases = objects.items(classes.bodies.words(at.TYPE_ORDER))
    derived = rows[np.isin(bases, classes.addresses[is_named])]
    return np.unique(np.concatenate([classes.addresses[is_named], classes.addresses[derived]]))


def thread_names(
    objects: Objects, classes: Classes, places: Addresses, kinds: Addresses
) -> dict[int, str]:
    """Names by the number that a thread knows itself by.

    ``places``: living instances of the classes ``kinds``.
    """
    rows, _ = classes.row_of(kinds)
    numbers, is_number = objects.numbers(objects.attribute(places, classes.bodies, rows, (NUMBER,)))
    texts = objects.texts(objects.attribute(places, classes.bodies, rows, (NAME,)))
    return {
        int(number): text
        for number, is_known, text in zip(numbers, is_number, texts, strict=True)
        if is_known and text
    }
