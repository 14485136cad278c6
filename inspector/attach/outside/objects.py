"""Python values in another process, read by their layout, many at once.

Dicts, texts, numbers and attributes are read.

Objects that are damaged, or change while they are read, give nothing, never an error; sizes are
bounded before anything is asked for. One thread.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from inspector.attach.outside import layout as at
from inspector.attach.outside.layout import Attributes, Layout
from inspector.attach.outside.memory import WORD_BYTES, Addresses, Flags, Gathered, OutsideMemory

Ints = npt.NDArray[np.int64]

MOST_ENTRIES: Final = 1 << 24
"""Of one dict: larger ones are taken for damaged."""
MOST_ENTRIES_AT_ONCE: Final = 4 << 20
LONGEST_TEXT: Final = 512
MOST_ITEMS: Final = 4096
"""Of one tuple."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of several dicts, one element each; removed entries are left out."""

    owners: Ints
    """Which of the dicts asked for."""
    positions: Ints
    """Where in its dict: the place of the value where instances share their keys."""
    keys: Addresses
    values: Addresses

    def of(self, keys: Collection[int]) -> Entries:
        """Only entries with one of these keys (addresses)."""
        chosen = np.isin(self.keys, np.fromiter(keys, np.uint64, len(keys)))
        return Entries(
            self.owners[chosen], self.positions[chosen], self.keys[chosen], self.values[chosen]
        )


class Objects:
    """Reads values of one process."""

    def __init__(self, memory: OutsideMemory, layout: Layout, number_type: int) -> None:
        """``number_type``: address of the class of whole numbers."""
        self.memory = memory
        self.layout = layout
        self._number_type = number_type

    def dict_entries(self, dicts: Addresses) -> Entries:
        """Entries of dicts."""
        heads = self.memory.gather(dicts, at.DICT_BYTES)
        entries = self.keys_entries(heads.words(at.DICT_KEYS))
        tables = heads.words(at.DICT_VALUES)[entries.owners]
        split = tables != 0
        if split.any():
            places = (
                tables[split]
                + np.uint64(self.layout.values)
                + entries.positions[split].astype(np.uint64) * np.uint64(WORD_BYTES)
            )
            entries.values[split] = self.memory.words(places)
        return _present(entries)

    def keys_entries(self, tables: Addresses) -> Entries:
        """Entries of tables of keys. If instances share the keys, ``values`` is 0."""
        heads = self.memory.gather(tables, at.KEYS_HEAD_BYTES)
        counts, starts, sizes, leads = self._shape_of_keys(heads)
        counts = np.where(heads.readable & (tables != 0), counts, 0)
        owners = np.repeat(np.arange(len(tables)), counts)
        firsts = np.repeat(np.cumsum(counts) - counts, counts)
        positions = np.arange(len(owners)) - firsts
        places = tables[owners] + (
            starts[owners] + positions * sizes[owners] + leads[owners]
        ).astype(np.uint64)
        words = (
            self.memory.gather(places, 2 * WORD_BYTES).words(0, 2)
            if len(places)
            else np.zeros((0, 2), np.uint64)
        )
        kept = words[:, 0] != 0
        return Entries(owners[kept], positions[kept], words[kept, 0], words[kept, 1].copy())

    def _shape_of_keys(self, heads: Gathered) -> tuple[Ints, Ints, Ints, Ints]:
        """Entries, first byte, bytes of an entry, and bytes before its key, for each table."""
        if self.layout.has_wide_keys:
            slots = heads.words(8).astype(np.int64)
            counts = heads.words(32).astype(np.int64)
            widths = np.select([slots <= 0xFF, slots <= 0xFFFF, slots <= 0xFFFF_FFFF], [1, 2, 4], 8)
            starts, is_general = 40 + slots * widths, np.ones(len(slots), np.bool_)
            is_sane = (slots > 0) & (slots <= 2 * MOST_ENTRIES) & (counts <= slots)
        else:
            shifts, sizes = (
                heads.bytes_at(9).astype(np.int64),
                np.int64(1) << np.minimum(heads.bytes_at(8).astype(np.int64), 40),
            )
            counts = heads.words(24).astype(np.int64)
            starts, is_general = (
                32 + (np.int64(1) << np.minimum(shifts, 40)),
                heads.bytes_at(10) == 0,
            )
            is_sane = (shifts <= 32) & (counts <= sizes)
        counts = np.where(is_sane & (counts >= 0) & (counts <= MOST_ENTRIES), counts, 0)
        counts[np.cumsum(counts) > MOST_ENTRIES_AT_ONCE] = 0
        return counts, starts, np.where(is_general, 24, 16), np.where(is_general, 8, 0)

    def texts(self, places: Addresses) -> list[str]:
        """ASCII texts; ``""`` for other objects, or a text too long to be a name."""
        lengths = self._text_lengths(places)
        longest = int(lengths.max(initial=0))
        if not longest:
            return [""] * len(places)
        gathered = self.memory.gather(places + np.uint64(self.layout.text), longest)
        return [
            _ascii(gathered.data[row, :length].tobytes())
            for row, length in enumerate(lengths.tolist())
        ]

    def named(self, places: Addresses, wanted: Collection[str]) -> dict[str, set[int]]:
        """Which of many texts are wanted: their addresses by name."""
        unique = np.unique(places)
        lengths = self._text_lengths(unique)
        chosen = unique[np.isin(lengths, [len(name) for name in wanted])]
        found: dict[str, set[int]] = {name: set() for name in wanted}
        for place, text in zip(chosen.tolist(), self.texts(chosen), strict=True):
            if text in found:
                found[text].add(place)
        return found

    def _text_lengths(self, places: Addresses) -> Ints:
        lengths = self.memory.words(places + np.uint64(at.TEXT_LENGTH)).astype(np.int64)
        return np.where((lengths > 0) & (lengths <= LONGEST_TEXT), lengths, 0)

    def numbers(self, places: Addresses) -> tuple[Addresses, Flags]:
        """Whole numbers from 0 to 2⁶⁴ − 1, and the places that hold such a number."""
        gathered = self.memory.gather(places, at.NUMBER_DIGITS + 12)
        sizes = gathered.words(at.NUMBER_SIZE).astype(np.int64)
        if self.layout.is_tagged:
            is_negative, counts = (sizes & 3) == 2, sizes >> 3
        else:
            is_negative, counts = sizes < 0, sizes
        is_number = (
            gathered.readable
            & (gathered.words(8) == self._number_type)
            & ~is_negative
            & (counts >= 0)
            & (counts <= 3)
        )
        total = np.zeros(len(places), np.uint64)
        for digit in range(3):
            value = gathered.halves(at.NUMBER_DIGITS + 4 * digit).astype(np.uint64)
            is_number &= ~((counts > digit) & (digit == 2) & (value >> np.uint64(4) != 0))
            total |= np.where(
                counts > digit, value << np.uint64(at.DIGIT_BITS * digit), np.uint64(0)
            )
        return np.where(is_number, total, np.uint64(0)), is_number

    def items(self, tuples: Addresses) -> tuple[Ints, Addresses]:
        """Items of tuples: which of the tuples each is of, and the item."""
        sizes = self.memory.words(tuples + np.uint64(at.TUPLE_SIZE)).astype(np.int64)
        sizes = np.where((tuples != 0) & (sizes > 0) & (sizes <= MOST_ITEMS), sizes, 0)
        sizes[np.cumsum(sizes) > MOST_ENTRIES_AT_ONCE] = 0
        owners = np.repeat(np.arange(len(tuples)), sizes)
        positions = np.arange(len(owners)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        places = (
            tuples[owners]
            + np.uint64(self.layout.tuple_items)
            + positions.astype(np.uint64) * np.uint64(WORD_BYTES)
        )
        return owners, self.memory.words(places)

    def attribute(
        self, instances: Addresses, types: Gathered, rows: Ints, names: Iterable[str]
    ) -> Addresses:
        """The values of instances in the attribute with one of these names; 0: nothing.

        ``rows``: the line of ``types`` for each instance.
        """
        wanted = set(names)
        if not len(instances):
            return np.empty(0, np.uint64)
        found, dicts = self._own_values(instances, types, rows, wanted)
        asked = np.flatnonzero((found == 0) & (dicts != 0))
        entries = self.dict_entries(dicts[asked])
        named = self.named(entries.keys, wanted)
        chosen = entries.of(set().union(*named.values()))
        found[asked[chosen.owners]] = chosen.values
        return found

    def _own_values(
        self, instances: Addresses, types: Gathered, rows: Ints, wanted: set[str]
    ) -> tuple[Addresses, Addresses]:
        """The values that instances keep themselves, and the dict of instances that have a dict."""
        flags = types.words(at.TYPE_FLAGS)[rows]
        nothing = np.zeros(len(instances), np.uint64)
        if self.layout.attributes is Attributes.OWN_DICT:
            offsets = types.words(at.TYPE_DICT_OFFSET)[rows].astype(np.int64)
            has_dict = (offsets > 0) & (offsets < at.TYPE_BYTES)
            return nothing, np.where(
                has_dict,
                self.memory.words(instances + np.where(has_dict, offsets, 0).astype(np.uint64)),
                nothing,
            )
        is_managed = (flags & np.uint64(at.IS_MANAGED)) != 0
        before = self.memory.gather(instances - np.uint64(32), 2 * WORD_BYTES)
        if self.layout.attributes is Attributes.VALUES_POINTER:
            tables, dicts = before.words(0), before.words(8)
        elif self.layout.attributes is Attributes.TAGGED_POINTER:
            word = before.words(8)
            is_table = (word & np.uint64(1)) != 0
            tables, dicts = (
                np.where(is_table, word + np.uint64(1), nothing),
                np.where(is_table, nothing, word),
            )
        else:
            tables, dicts = self._inline_tables(instances, types, rows, flags), before.words(8)
        slots = self._slots(types, rows, wanted)
        has_value = is_managed & (tables != 0) & (slots >= 0)
        places = np.where(
            has_value,
            tables + np.maximum(slots, 0).astype(np.uint64) * np.uint64(WORD_BYTES),
            nothing,
        )
        values = np.where(has_value, self.memory.words(places), nothing)
        return values, np.where(is_managed, dicts, nothing)

    def _inline_tables(
        self, instances: Addresses, types: Gathered, rows: Ints, flags: Addresses
    ) -> Addresses:
        """Start of the values behind an object; 0: they are not valid any more."""
        places = instances + types.words(at.TYPE_BASIC_SIZE)[rows]
        has_values = (flags & np.uint64(at.IS_INLINE)) != 0
        heads = self.memory.gather(np.where(has_values, places, np.uint64(0)), WORD_BYTES)
        is_valid = has_values & (heads.bytes_at(3) == 1)
        return np.where(is_valid, places + np.uint64(self.layout.values), np.uint64(0))

    def _slots(self, types: Gathered, rows: Ints, wanted: set[str]) -> Ints:
        """Place of the attribute among the keys that instances of each one's class share.

        -1: it is not among them.
        """
        tables = types.words(self.layout.cached_keys)
        used = np.unique(rows)
        entries = self.keys_entries(tables[used])
        named = self.named(entries.keys, wanted)
        chosen = entries.of(set().union(*named.values()))
        slots = np.full(len(tables), -1, np.int64)
        slots[used[chosen.owners]] = chosen.positions
        picked: Ints = slots[rows]
        return picked


def _present(entries: Entries) -> Entries:
    """Without the entries that have no value any more."""
    kept = entries.values != 0
    return Entries(
        entries.owners[kept], entries.positions[kept], entries.keys[kept], entries.values[kept]
    )


def _ascii(text: bytes) -> str:
    """Text of printable characters; ``""`` for anything else."""
    return text.decode("ascii") if text.isascii() and text.decode("ascii").isprintable() else ""
