"""Kinds of types: the counter of the references, and all facts that the code asks of a kind.

Values are the layout's; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Flag, IntEnum, auto


class _Asked(Flag):
    """Questions that the answer is yes to; ``Kind`` explains them."""

    PINS_CALLS = auto()
    FOREIGN = auto()
    CALL = auto()
    RUNS = auto()
    TRAIT = auto()
    NUMBERED = auto()
    SHARES_ROWS = auto()
    CLONES = auto()
    FINALISER = auto()


_NOTHING = _Asked(0)


class Kind(IntEnum):
    """The counter of a type's references."""

    _asked: _Asked

    def __new__(cls, code: int, asked: _Asked = _NOTHING) -> Kind:
        """``code`` as in the layout, and the questions that the answer is yes to."""
        kind = int.__new__(cls, code)
        kind._value_ = code
        kind._asked = asked
        return kind

    UNKNOWN = 0
    """Not in the layout: a kind that this version does not know."""
    ARC = 1, _Asked.PINS_CALLS
    MUTEX_MAP = 2, _Asked.PINS_CALLS
    ARC_MAP = 3, _Asked.PINS_CALLS
    THIN = 4, _Asked.PINS_CALLS | _Asked.SHARES_ROWS
    FOREIGN = 5, _Asked.PINS_CALLS | _Asked.FOREIGN
    UNIFFI = 6, _Asked.CLONES | _Asked.FINALISER
    UNIFFI_TRAIT = 7, _Asked.CLONES | _Asked.FINALISER | _Asked.TRAIT
    UNIFFI_FOREIGN = 8, _Asked.CLONES | _Asked.FOREIGN
    DECLARED = 9, _Asked.CLONES | _Asked.NUMBERED
    UNIFFI_CALL = 10, _Asked.CALL
    """An asynchronous call of the library that has not ended."""
    UNIFFI_FUTURE = 11, _Asked.CALL
    """A Python call that native code awaits."""
    UNIFFI_RUNNING = 12, _Asked.CALL | _Asked.RUNS
    """A synchronous call of the library that has not returned."""
    PYO3 = 13
    """An object of a class that PyO3 made. The counts within its Rust value are not known."""
    EXTENSION = 14
    """An object of a class of another extension, which a person named. Its counts are not known."""

    @property
    def word(self) -> str:
        """As files and ``--json`` have it: ``uniffi_trait``."""
        return self.name.lower()

    @property
    def pins_calls(self) -> bool:
        """Whether each call shows in the thread's record, as our own runtime's calls do.

        Calls in flight are then exact without sampling.
        """
        return _Asked.PINS_CALLS in self._asked

    @property
    def is_foreign(self) -> bool:
        """Whether the object is the host language's, held by native code.

        Its handles carry the foreign bit.
        """
        return _Asked.FOREIGN in self._asked

    @property
    def is_call(self) -> bool:
        """Rows are calls on the object at their address: they hold it, and are no handles of it."""
        return _Asked.CALL in self._asked

    @property
    def runs_on_thread(self) -> bool:
        """Rows are calls that run on a thread, which ``data`` names."""
        return _Asked.RUNS in self._asked

    @property
    def is_trait(self) -> bool:
        """Whether an object has two counts.

        They are of the object's own ``Arc``, and of the ``Arc`` (or the box) that a handle points
        into.
        """
        return _Asked.TRAIT in self._asked

    @property
    def is_numbered(self) -> bool:
        """A library may know the objects by a number instead of a place in memory."""
        return _Asked.NUMBERED in self._asked

    @property
    def shares_rows(self) -> bool:
        """Whether references of proxies and of native code share one row.

        It is not known how many are which.
        """
        return _Asked.SHARES_ROWS in self._asked

    @property
    def calls_are_estimated(self) -> bool:
        """Whether a call clones the object's reference.

        Calls in flight are known by sampling the strong count, and short calls may be missed.
        """
        return _Asked.CLONES in self._asked

    @property
    def releases_in_finaliser(self) -> bool:
        """Proxies release in a finaliser that a program can call, or come back from."""
        return _Asked.FINALISER in self._asked


def kind_named(word: str) -> Kind:
    """The kind of this ``word``; ``Kind.UNKNOWN`` when this version does not know it."""
    return _BY_WORD.get(word, Kind.UNKNOWN)


def kinds_where(asked: Callable[[Kind], bool]) -> tuple[Kind, ...]:
    """The kinds that the answer is yes for, in the order of their values."""
    return tuple(kind for kind in Kind if asked(kind))


_BY_WORD = {kind.word: kind for kind in Kind}
