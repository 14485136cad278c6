"""Tables of a comparison: its lines, the handles of a line, and the growth in each round.

GUI thread only.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject

from inspector.model.diff import Change, Diff, Fate
from inspector.model.growth import Grown
from inspector.model.snapshot import UNKNOWN, Floats, Ids, Ints
from inspector.model.wording import UNKNOWN_TEXT, clock, number, signed
from inspector.ui.kit.column_model import Column, ColumnModel, Cue, SortKeys, ranks_of
from inspector.ui.kit.theme import Theme
from inspector.vocabulary import handle_text


@dataclass(frozen=True, slots=True)
class ChangeRows:
    """Lines of a diff, by type or by type and place."""

    lines: tuple[Change, ...] = ()

    def __len__(self) -> int:
        """Lines."""
        return len(self.lines)


@dataclass(frozen=True, slots=True, eq=False)
class FateRows:
    """Handles with one fate."""

    ids: Ids
    strong_before: Ints
    strong_after: Ints
    created_at: Floats

    def __len__(self) -> int:
        """Handles."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class GrownRows:
    """The handles that every round left behind."""

    lines: tuple[Grown, ...] = ()

    def __len__(self) -> int:
        """Lines."""
        return len(self.lines)


def change_model(theme: Theme, parent: QObject | None = None) -> ColumnModel[ChangeRows]:
    """An empty table of changes. Its keys are made of type and place."""
    return ColumnModel(_change_columns(), ChangeRows(), _change_keys, theme=theme, parent=parent)


def fate_model(theme: Theme, parent: QObject | None = None) -> ColumnModel[FateRows]:
    """An empty table of handles. Its keys are their ids."""
    return ColumnModel(
        _fate_columns(), no_fate_rows(), lambda rows: rows.ids, theme=theme, parent=parent
    )


def grown_model(theme: Theme, parent: QObject | None = None) -> ColumnModel[GrownRows]:
    """An empty table of growth."""
    return ColumnModel(_grown_columns(), GrownRows(), _grown_keys, theme=theme, parent=parent)


def no_fate_rows() -> FateRows:
    """None at all."""
    return FateRows(
        np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    )


def fate_rows(found: Diff, fate: Fate, change: Change | None, limit: int) -> FateRows:
    """The handles of a line with that fate, the first ``limit`` by birth, the newest first.

    Any thread.
    """
    ids = found.handles(fate, change)
    state = found.before if fate is Fate.DEAD else found.after
    at = np.searchsorted(state.ids, ids)
    at = at[np.argsort(-state.created_at[at], kind="stable")][:limit]
    ids = state.ids[at]
    return FateRows(
        ids,
        _strong(found.before.ids, found.before.strong, ids),
        _strong(found.after.ids, found.after.strong, ids),
        state.created_at[at],
    )


def _strong(known: Ids, strong: Ints, ids: Ids) -> Ints:
    if not len(known):
        return np.full(len(ids), UNKNOWN, np.int64)
    at = np.searchsorted(known, ids)
    at[at == len(known)] = 0
    return np.where(known[at] == ids, strong[at], UNKNOWN)


def _change_columns() -> tuple[Column[ChangeRows], ...]:
    return (
        Column(
            "Type",
            "Type of the objects",
            lambda rows, i: rows.lines[i].type_name,
            lambda rows: _ranks(rows, "type_name"),
        ),
        Column(
            "Net",
            "More or fewer alive than before",
            _net_text,
            lambda rows: _sortable(rows, "net"),
            cue=_net_cue,
        ),
        _count("Before", "Alive at the first mark", "before"),
        _count("After", "Alive at the second mark", "after"),
        _count("Born", "Made between the marks, alive at the second", "born"),
        _count("Dead", "Alive at the first mark, gone at the second", "dead"),
        _count("Survived", "Alive at both", "survived"),
        _count("Changed", "Alive at both, with another strong count or state", "changed"),
        _count(
            "Passed",
            ("Made after the first mark and gone before the second; by type only"),
            "passed",
        ),
        Column(
            "Made at",
            "Where they were made",
            lambda rows, i: rows.lines[i].site,
            lambda rows: _ranks(rows, "site"),
        ),
    )


def _count(title: str, about: str, name: str) -> Column[ChangeRows]:
    return Column(
        title,
        about,
        lambda rows, i: number(getattr(rows.lines[i], name)),
        lambda rows: _sortable(rows, name),
        number=True,
    )


def _net_text(rows: ChangeRows, row: int) -> str:
    net = rows.lines[row].net
    return f"+{net:,}" if net > 0 else signed(net)


def _net_cue(rows: ChangeRows, row: int) -> Cue | None:
    net = rows.lines[row].net
    return Cue("born", "born") if net > 0 else Cue("dying", "dying") if net < 0 else None


def _sortable(rows: ChangeRows, name: str) -> SortKeys:
    return np.array([getattr(line, name) for line in rows.lines], dtype=np.float64)


def _ranks(rows: ChangeRows, name: str) -> SortKeys:
    return ranks_of(
        np.arange(len(rows)), {row: getattr(line, name) for row, line in enumerate(rows.lines)}
    )


def _change_keys(rows: ChangeRows) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array([_key(line.type_name, line.site) for line in rows.lines], dtype=np.uint64)


def _grown_keys(rows: GrownRows) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array([_key(line.type_name, line.site) for line in rows.lines], dtype=np.uint64)


def _key(type_name: str, site: str) -> int:
    return zlib.crc32(type_name.encode()) << 32 | zlib.crc32(site.encode())


def _fate_columns() -> tuple[Column[FateRows], ...]:
    return (
        Column(
            "Handle",
            "Slot and generation; never used again",
            lambda rows, i: handle_text(int(rows.ids[i])),
            lambda rows: (rows.ids & np.uint64(0xFFFF_FFFF)).astype(np.int64),
        ),
        Column(
            "Strong",
            "Strong count at the first and at the second mark",
            _strong_text,
            lambda rows: rows.strong_after,
        ),
        Column(
            "Born",
            "When it was made",
            lambda rows, i: clock(float(rows.created_at[i]))[:-4],
            lambda rows: rows.created_at,
        ),
    )


def _strong_text(rows: FateRows, row: int) -> str:
    before, after = int(rows.strong_before[row]), int(rows.strong_after[row])
    return f"{number(before)} → {number(after)}" if before != after else number(after)


def _grown_columns() -> tuple[Column[GrownRows], ...]:
    return (
        Column(
            "Type",
            "Type of the objects",
            lambda rows, i: rows.lines[i].type_name,
            lambda rows: ranks_of(
                np.arange(len(rows)), {row: line.type_name for row, line in enumerate(rows.lines)}
            ),
            cue=lambda rows, i: Cue("suspect", "suspect") if rows.lines[i].is_steady else None,
        ),
        Column(
            "Each round",
            "Handles of each round that were alive at the end",
            lambda rows, i: "  ".join(f"+{count:,}" for count in rows.lines[i].per_round),
            lambda rows: np.array([min(line.per_round) for line in rows.lines], dtype=np.int64),
            tooltip=lambda rows, i: (
                "The same in each round: it belongs to the scenario"
                if rows.lines[i].is_steady
                else "It varies"
            ),
        ),
        Column(
            "In all",
            "Handles that all rounds left behind",
            lambda rows, i: number(rows.lines[i].total),
            lambda rows: np.array([line.total for line in rows.lines], dtype=np.int64),
            number=True,
        ),
        Column(
            "Made at",
            "Where they were made",
            lambda rows, i: rows.lines[i].site or UNKNOWN_TEXT,
            lambda rows: ranks_of(
                np.arange(len(rows)), {row: line.site for row, line in enumerate(rows.lines)}
            ),
        ),
    )
