"""Names of a segment, each decoded when it first appears.

Strings, frames, stacks and types only grow, so each is decoded once.

Owned and used by one thread, the session's pump; its results are frozen.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from inspector.model.fields import COUNT_LIMIT
from inspector.model.raw import Records, text_of
from inspector.model.snapshot import UNKNOWN, Ints, Outer, TypeRow, sites_named
from inspector.model.stacks import Frame, Site
from inspector.plain_text import printable
from inspector.source_places import packages_of
from inspector.vocabulary import Kind

_LENGTH: Final = struct.Struct("<I")
_LONGEST_NAME_BYTES: Final = 4096
"""Longer names are cut: a damaged length must not make a name of megabytes."""
_KINDS: Final = frozenset(Kind)
_COUNTERS: Final = ("created", "released", "closed", "never_closed", "dropped")


@dataclass(frozen=True, slots=True)
class _FixedType:
    """The unchanging facts of a type."""

    name: str
    origin: str


Symbolise = Callable[[int], tuple[Frame, ...]]
"""The frames of a native return address: the frame of the code itself, then the frames of the
functions into which it was inlined. A function that is not known is ``""``."""


def no_symbol(address: int) -> tuple[Frame, ...]:
    """Knows no native names."""
    return ()


class Names:
    """Decoded frames, sites and texts of types, by index."""

    def __init__(self, symbolise: Symbolise = no_symbol) -> None:
        """Know nothing yet. ``symbolise`` names native frames by their address."""
        self._symbolise = symbolise
        self._strings = bytearray()
        self._texts: dict[int, str] = {}
        self._frames: list[tuple[Frame, ...]] = []
        self._sites: dict[int, Site] = {}
        self._seen_sites: Mapping[int, Site] = MappingProxyType({})
        self._sites_read = 0
        self._packages: tuple[str, ...] = ()
        self._fixed_types: dict[int, _FixedType] = {}

    @property
    def sites(self) -> Mapping[int, Site]:
        """All sites decoded so far, by index; the mapping does not change later."""
        return self._seen_sites

    @property
    def string_bytes(self) -> int:
        """Bytes of the string arena known: read on from here."""
        return len(self._strings)

    @property
    def frames_read(self) -> int:
        """Frames decoded: read on from this index."""
        return len(self._frames)

    @property
    def sites_read(self) -> int:
        """Sites decoded: read on from this index."""
        return self._sites_read

    def add_strings(self, more: bytes) -> None:
        """The arena's bytes from ``string_bytes`` on."""
        self._strings += more

    def add_frames(self, frames: Records) -> None:
        """Frames from ``frames_read`` on; stops at the first that is not yet ready."""
        for frame in frames:
            is_unused = not self._frames
            if not (is_unused or self._is_ready(frame)):
                break
            self._frames.append(() if is_unused else self._decoded(frame))

    def add_sites(self, sites: Records) -> None:
        """Sites from ``sites_read`` on; stops at the first that is not complete."""
        fresh: dict[int, Site] = {}
        for site in sites:
            index = self._sites_read
            if index and not self._is_complete(site):
                break
            if index:
                fresh[index] = self._site(index, site)
            self._sites_read += 1
        if fresh:
            self._sites |= fresh
            self._seen_sites = MappingProxyType(dict(self._sites))

    def types(self, types: Records) -> dict[int, TypeRow]:
        """The types that are in use, with their counters of now."""
        totals = {name: type_totals(types, name) for name in _COUNTERS}
        rows = {}
        for index in np.flatnonzero(types["ready"]).tolist():
            if index:
                rows[index] = self._type(
                    index,
                    types[index],
                    {name: int(column[index]) for name, column in totals.items()},
                )
        self._name_sites(rows)
        return rows

    def _name_sites(self, types: Mapping[int, TypeRow]) -> None:
        """Sites are named by what the followed packages call, so a new package names them anew."""
        packages = packages_of(row.origin for row in types.values())
        if packages != self._packages:
            self._packages = packages
            self._seen_sites = sites_named(self._seen_sites, types)
            self._sites = dict(self._seen_sites)

    def _type(self, index: int, slot: np.void, counters: Mapping[str, int]) -> TypeRow:
        fixed = self._fixed_types.get(index)
        if fixed is None:
            fixed = _FixedType(text_of(slot["name"]), text_of(slot["origin"]))
            self._fixed_types[index] = fixed
        code = int(slot["kind"])
        kind = Kind(code) if code in _KINDS else Kind.UNKNOWN
        return TypeRow(
            index=index,
            name=fixed.name,
            origin=fixed.origin,
            kind=kind.word if kind else f"kind_{code}",
            closes=bool(slot["closes"]),
            close_signature=text_of(slot["close_signature"]),
            thread_affine=bool(slot["thread_affine"]),
            size_bytes=int(slot["size_bytes"]) or UNKNOWN,
            outer=_outer(slot) if kind.is_trait else Outer.NONE,
            **counters,
        )

    def _decoded(self, frame: np.void) -> tuple[Frame, ...]:
        """One frame, or several of native code that was inlined."""
        function = self._text(int(frame["function"]))
        address = int(frame["address"])
        if not function and address:
            return tuple(
                each if each.function else replace(each, function=f"{address:#x}")
                for each in self._symbolise(address) or (Frame("", "", 0),)
            )
        return (Frame(function, self._text(int(frame["file"])), int(frame["line"])),)

    def _is_ready(self, frame: np.void) -> bool:
        """It was published, and so were its names, as far as they were read."""
        return (
            bool(frame["ready"])
            and self._has(int(frame["function"]))
            and self._has(int(frame["file"]))
        )

    def _is_complete(self, site: np.void) -> bool:
        """All its frames were decoded (they are published before it, but were read earlier)."""
        count = int(site["frame_count"])
        return count > 0 and all(
            index < len(self._frames) for index in site["frames"][:count].tolist()
        )

    def _site(self, index: int, site: np.void) -> Site:
        frames = site["frames"][: int(site["frame_count"])].tolist()
        return Site(
            index,
            tuple(frame for each in frames for frame in self._frames[each]),
            cut=bool(site["cut"]),
            packages=self._packages,
        )

    def _text(self, offset: int) -> str:
        text = self._texts.get(offset)
        if text is None:
            text = self._texts[offset] = self._decode(offset)
        return text

    def _has(self, offset: int) -> bool:
        if offset == 0:
            return True
        start = offset + _LENGTH.size
        return start <= len(self._strings) and start + self._length_at(offset) <= len(self._strings)

    def _length_at(self, offset: int) -> int:
        return (
            min(int(_LENGTH.unpack_from(self._strings, offset)[0]), _LONGEST_NAME_BYTES)
            if offset
            else 0
        )

    def _decode(self, offset: int) -> str:
        start = offset + _LENGTH.size
        return printable(
            self._strings[start : start + self._length_at(offset)].decode("utf-8", "replace")
        )


def _outer(slot: np.void) -> Outer:
    """The kind of a trait's outer pointer."""
    return Outer.ARC if slot["data_offset"] else Outer.BOX


def type_totals(types: Records, counter: str) -> Ints:
    """A counter of every type, summed over its shards, by type index."""
    totals: Ints = types["shards"][counter].astype(np.int64).sum(axis=1)
    return np.clip(totals, -COUNT_LIMIT, COUNT_LIMIT)
