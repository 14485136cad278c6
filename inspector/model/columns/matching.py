"""Rows that a text of a filter finds: a table per name is looked up, no row is compared on its own.

Pure; any thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from inspector.model.counts import Flags
from inspector.model.snapshot import Ints, Snapshot, TypeRow
from inspector.model.stacks import Frame
from inspector.model.states import ended, search_words
from inspector.vocabulary import Reference

_ID: Final = re.compile(r"#?(?P<slot>\d{1,10})(?:\.(?P<generation>\d{1,10}))?")
_ID_BITS: Final = np.uint64(0xFFFF_FFFF)


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text to look for, without regard to case."""

    text: str
    """Case-folded."""
    whole: bool = False

    def matches(self, candidate: str) -> bool:
        """Whether ``candidate`` contains it (is it, when ``whole``)."""
        folded = candidate.casefold()
        return folded == self.text if self.whole else self.text in folded


def of_type(name: Callable[[TypeRow], str]) -> Callable[[Text, Snapshot], Flags]:
    """Finds rows by a text of their type."""

    def matches(text: Text, snapshot: Snapshot) -> Flags:
        return _pick(
            _chosen({index: name(row) for index, row in snapshot.types.items()}, text),
            snapshot.handles.types,
        )

    return matches


def by_id(text: Text, snapshot: Snapshot) -> Flags:
    """Rows with this slot, and this generation if it is given."""
    ids, found = snapshot.handles.ids, _ID.fullmatch(text.text)
    if found is None:
        return np.zeros(len(ids), dtype=np.bool_)
    mask: Flags = (ids & _ID_BITS) >> np.uint64(1) == np.uint64(int(found["slot"]))
    if found["generation"] is not None:
        mask &= ids >> np.uint64(32) == np.uint64(int(found["generation"]))
    return mask


def by_state(text: Text, snapshot: Snapshot) -> Flags:
    """Rows whose state has these words."""
    handles = snapshot.handles
    pairs = handles.references.astype(np.uint16) << 8 | handles.resources
    table = np.zeros(1 << 16, dtype=np.bool_)
    for pair in np.flatnonzero(np.bincount(pairs, minlength=1)):
        words = search_words(int(pair) >> 8, int(pair) & 0xFF)
        table[pair] = text.text in words.split() if text.whole else text.matches(words)
    return np.asarray(table[pairs] & (handles.references != Reference.FREE))


def by_creator(text: Text, snapshot: Snapshot) -> Flags:
    """Rows created on such a thread."""
    return _pick(_threads(text, snapshot), snapshot.handles.created_threads)


def by_owner(text: Text, snapshot: Snapshot) -> Flags:
    """Rows that only such a thread may close."""
    return _pick(_threads(text, snapshot), snapshot.handles.owner_threads)


def by_thread(text: Text, snapshot: Snapshot) -> Flags:
    """Rows created on such a thread or owned by it."""
    return by_owner(text, snapshot) | by_creator(text, snapshot)


def by_ender(text: Text, snapshot: Snapshot) -> Flags:
    """Rows that such a thread closed or released."""
    return _pick(_threads(text, snapshot), snapshot.handles.last_threads) & ended(snapshot.handles)


def by_site(text: Text, snapshot: Snapshot) -> Flags:
    """Rows created at such a line."""
    sites = {
        index: "\n".join(text for frame in site.frames for text in _names_of(frame))
        for index, site in snapshot.sites.items()
    }
    return _pick(_chosen(sites, text, by_line=True), snapshot.handles.created_sites)


def _names_of(frame: Frame) -> tuple[str, ...]:
    library = (frame.library,) if frame.library else ()
    return (frame.short(), frame.place(), *library)


def _threads(text: Text, snapshot: Snapshot) -> Flags:
    return _chosen({index: row.search_name for index, row in snapshot.threads.items()}, text)


def _chosen(names: Mapping[int, str], text: Text, *, by_line: bool = False) -> Flags:
    """Table by index: whether the name matches."""
    table = np.zeros(max(names, default=0) + 1, dtype=np.bool_)
    for index, name in names.items():
        table[index] = (
            any(text.matches(line) for line in name.split("\n")) if by_line else text.matches(name)
        )
    table[0] = False
    return table


def _pick(table: Flags, indices: Ints) -> Flags:
    """``table[indices]``; indices that the snapshot does not name match nothing."""
    inside = (indices >= 0) & (indices < len(table))
    return np.where(inside, table[np.where(inside, indices, 0)], False)
