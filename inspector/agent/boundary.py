"""The places in which Python objects and native objects hold each other, in each ecosystem.

An adapter that has a ``boundary`` answers three questions: which Python object is behind a row,
which Python objects native code holds and in which place, and which objects the native object
behind a proxy holds. Worker thread only; nothing given out is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class ForeignObject(NamedTuple):
    """A Python object that native code holds."""

    key: tuple[int, int]
    """What tells it from the others: where it is kept, and its number there."""
    thing: object
    text: str
    """``handle 3 of Persistence``."""
    row: int
    """0: it has none."""


class Reach(NamedTuple):
    """A Python object that a native object leads to, without another Python object between them."""

    key: tuple[int, int]
    """Of the ``ForeignObject``."""
    steps: tuple[str, ...]
    """Fields on the way, outermost first."""
    is_exact: bool
    """The objects said so themselves; otherwise a scan of their memory found it."""


class Boundary(Protocol):
    """The knowledge of one ecosystem."""

    def python_object(self, row: int) -> object | None:
        """The live proxy of a row, or the Python object that native code holds.

        ``None`` when it is neither, or went.
        """

    def foreign_objects(self) -> Sequence[ForeignObject]:
        """The Python objects that native code holds now."""

    def places(self) -> Mapping[int, str]:
        """``id`` of each dict that keeps such objects, and its name."""

    def proxy_row(self, thing: object) -> int:
        """The row of a live proxy; 0 for anything else.

        Looks at its type first: most objects are no proxies.
        """

    def reaches(self, proxy: object) -> Sequence[Reach]:
        """Which Python objects the native object behind a live proxy leads to."""


class HidesReferents(Protocol):
    """A boundary with classes whose instances do not report their references to the collector."""

    def hidden_kinds(self) -> Sequence[str]:
        """Names of such classes that are followed."""


class HasBoundary(Protocol):
    """An adapter whose boundary can be asked."""

    @property
    def boundary(self) -> Boundary:
        """Its boundary."""
