"""A target that nobody prepared, with classes that an agent hooks.

``hooked_steps.py FOLDER``, where ``bdkpython`` lies.

Its step ``hooks`` tells what stands where an agent puts hooks: attributes of the generated classes,
of declared ones, type slots.
"""

import ctypes
import json
import sqlite3
import sys

sys.path.append(sys.argv[1])
import bdkpython.bdk as generated

DEALLOC, INIT, ALLOC = 48, 296, 304
"""Bytes from a type's start to slots that are hooked."""


class Session:
    """Declared by the test."""

    def __init__(self):
        self._handle = 7

    def close(self):
        self._handle = None


def hooks():
    """Identities by name; of slots what they point to."""
    classes = [
        each
        for each in vars(generated).values()
        if isinstance(each, type) and each.__module__ == generated.__name__
    ]
    names = {
        f"{cls.__name__}.{name}": id(value)
        for cls in [*classes, Session]
        for name, value in vars(cls).items()
    }
    library = {f"lib.{name}": id(value) for name, value in vars(generated._UniffiLib).items()}
    slots = {
        f"{cls.__name__}+{at}": ctypes.c_uint64.from_address(id(cls) + at).value
        for cls in (sqlite3.Connection, sqlite3.Cursor)
        for at in (DEALLOC, INIT, ALLOC)
    }
    finders = {f"meta_path {place}": id(each) for place, each in enumerate(sys.meta_path)}
    return {**names, **library, **slots, **finders}


print("ready", flush=True)
kept = [generated.Amount.from_sat(1), Session(), sqlite3.connect(":memory:")]
for line in sys.stdin:
    if line.strip() == "hooks":
        print("hooks", json.dumps(hooks()), flush=True)
    else:
        kept += [generated.Amount.from_sat(2), Session(), sqlite3.connect(":memory:")]
        print("make", flush=True)
