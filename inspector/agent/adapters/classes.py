"""Facts that adapters need about classes. Runs no code of the program, not even of a metaclass."""

from __future__ import annotations


def closure(cls: type) -> set[type]:
    """A class and everything derived from it."""
    found = {cls}
    derived: type
    for derived in type.__subclasses__(cls):
        found |= closure(derived)
    return found
