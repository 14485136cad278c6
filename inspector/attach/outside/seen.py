"""The result of a look from outside, as plain arrays and texts. Frozen; any thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside.memory import Effort
from inspector.vocabulary import Kind
from inspector.wire.uniffi import FINALISER

Ints = npt.NDArray[np.int64]
Addresses = npt.NDArray[np.uint64]

UNKNOWN = -1
"""A count that cannot be told."""


@dataclass(frozen=True, slots=True)
class SeenType:
    """A type of native object."""

    name: str
    origin: str
    """Module that was generated."""
    kind: str
    """As in the layout: ``uniffi``, ``uniffi_trait``, ``uniffi_foreign``, ``uniffi_call``,
    ``uniffi_running``."""
    outer: str = ""
    """What a trait's handles point into: ``arc``, which counts, or ``box``."""


AWAITED: Final = SeenType("awaited by Rust", "", Kind.UNIFFI_FUTURE.word)
"""A Python call that Rust awaits and whose method cannot be read."""


@dataclass(frozen=True, slots=True)
class SeenRows:
    """Handles, one element each."""

    types: Ints
    """Place among the types of the look."""
    places: Addresses
    """The keeper of the handle: the proxy, the map's entry, the coroutine. With ``handles`` a row's
    identity from one look to the next."""
    handles: Addresses
    addresses: Addresses
    """The object's allocation; 0: it cannot be told."""
    strong: Ints
    """The object's own count, the least of several looks, of the same moment as the handles;
    ``UNKNOWN``: it cannot be told."""
    weak: Ints
    outer: Ints
    """Of a trait: what the ``Arc`` counts that the handle points into; ``UNKNOWN``: there is
    none."""
    in_flight: Ints
    """How far the counts were above that in the last of them."""
    moving: npt.NDArray[np.bool_]
    """The counts were others from one look to the next."""

    def __len__(self) -> int:
        """Rows."""
        return len(self.types)


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A line of a Python stack."""

    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class SeenRunning:
    """A synchronous call of a generated method, seen on a stack."""

    status: int
    """Place of what generated code makes for each call."""
    method: str
    depth: int
    """Frames of the stack that are inside of the line that called the method."""
    own: int
    """The object that the method is called on; 0: it is a function."""
    arguments: tuple[int, ...]
    """Objects that may be arguments: places of whatever the frame has."""

    @property
    def ends(self) -> bool:
        """Whether it is a finaliser, which releases the object's reference."""
        return self.method.endswith(f".{FINALISER}")


@dataclass(frozen=True, slots=True)
class SeenThread:
    """One thread, at one moment."""

    tid: int
    name: str
    waits: str
    """``waits in select``, ``runs``."""
    stack: tuple[SeenFrame, ...] = ()
    """Innermost first; empty: it runs no Python, or its stack cannot be told."""
    holds_gil: bool = False
    calls: tuple[SeenRunning, ...] = ()
    """Innermost first."""

    def above(self, call: SeenRunning) -> tuple[SeenFrame, ...]:
        """The stack from the line that made a call outwards."""
        return self.stack[call.depth :]


@dataclass(frozen=True, slots=True)
class SeenLibrary:
    """An extension whose objects are counted and not listed."""

    path: str
    binding: str
    """The maker of its classes; ``""``: its file cannot be read."""
    classes: int
    alive: int
    """Living objects of these classes."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a process."""

    pid: int
    runtime: str
    """``CPython 3.11.7``, or ``""``."""
    types: tuple[SeenType, ...]
    rows: SeenRows
    threads: tuple[SeenThread, ...]
    more_threads: int
    """Left out."""
    packages: tuple[str, ...]
    """Components over UniFFI that are loaded, also those without a living object."""
    took_secs: float
    effort: Effort = field(default_factory=Effort)
    is_whole: bool = True
    """The objects were looked at to the end; otherwise what is missing may live, and a note says
    why."""
    doubtful: frozenset[int] = frozenset()
    """Places of finds that could not be told from remains, and were left out."""
    standing: Mapping[int, tuple[SeenFrame, ...]] = field(default_factory=dict)
    """The lines on which Python calls that Rust awaits wait, innermost first, by the row's place;
    empty where that cannot be read."""
    without_handle: int = 0
    """Proxies that keep none: their constructor failed, or runs just now."""
    libraries: tuple[SeenLibrary, ...] = ()
    """Extensions whose objects are not listed."""
    notes: tuple[str, ...] = ()
    """Parts that could not be looked at, and why: sentences without a full stop."""


def no_rows() -> SeenRows:
    """None."""
    ints, addresses = np.empty(0, np.int64), np.empty(0, np.uint64)
    return SeenRows(
        ints, addresses, addresses, addresses, ints, ints, ints, ints, np.empty(0, np.bool_)
    )
