"""Marks as bytes and back: a mark beside the snapshot that it is stored with. Pure; any thread.

Most handles of a mark still have their row in the snapshot, with the same facts. They are stored
as one bit a row of the snapshot; handles without such a row are stored in full. Reading treats the
bytes as hostile.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from inspector.errors import FileFormatError
from inspector.model.column_steps import as_steps, from_steps
from inspector.model.fields import COUNT_LIMIT, FLOAT_LIMIT, from_plain, to_plain
from inspector.model.marks import Identity, MarkedState
from inspector.model.packed import pack, unpack
from inspector.model.snapshot import Snapshot
from inspector.model.stored_table import picked
from inspector.vocabulary import Resource

_LENGTH: Final = struct.Struct("<I")
_SAME: Final = (
    ("types", "types"),
    ("sites", "created_sites"),
    ("created_at", "created_at"),
    ("threads", "created_threads"),
)
"""Facts of a handle that never change: column of a mark, column of a snapshot."""
_STEPS: Final = {"ids": "<u8", "created_at": "<f8"}
_COLUMNS: Final = {
    "kept": "|u1",
    "kept_strong": "<i8",
    "kept_resources": "|u1",
    "ids": "|u1",
    "types": "<i8",
    "sites": "<i8",
    "strong": "<i8",
    "resources": "|u1",
    "created_at": "|u1",
    "threads": "<i8",
    "created": "<i8",
}
_INDICES: Final = ("types", "sites", "threads")


@dataclass(frozen=True, slots=True)
class _Named:
    """The facts of a mark that are no columns."""

    name: str
    at: float
    process: tuple[int, ...]
    program: str
    missing_at_most: int
    handles: int
    has_threads: bool
    type_names: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    site_names: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))


def encode_mark(mark: MarkedState, snapshot: Snapshot, *, with_births: bool = True) -> bytes:
    """``mark`` as bytes that ``decode_mark`` reads beside the same ``snapshot``.

    ``with_births``: also of handles without a row, which takes the most bytes.
    """
    rows, kept = _rows_of(mark, snapshot)
    bits = np.zeros(len(snapshot.handles), np.uint8)
    bits[rows] = 1
    gone = ~kept
    births = mark.created_at[gone] if with_births else np.full(int(gone.sum()), np.nan)
    order = np.argsort(rows)
    threads = mark.threads if len(mark.threads) else np.zeros(len(mark), np.int64)
    columns: dict[str, npt.NDArray[Any]] = {
        "kept": np.packbits(bits),
        "kept_strong": (mark.strong[kept] - picked(snapshot.handles, "strong", rows))[order],
        "kept_resources": (mark.resources[kept] ^ picked(snapshot.handles, "resources", rows))[
            order
        ],
        "ids": as_steps(mark.ids[gone].astype(np.uint64)),
        "types": mark.types[gone],
        "sites": mark.sites[gone],
        "strong": mark.strong[gone],
        "resources": mark.resources[gone],
        "created_at": as_steps(births.astype(np.float64)),
        "threads": threads[gone],
        "created": mark.created,
    }
    named = _Named(
        mark.name,
        mark.at,
        mark.process,
        mark.program,
        mark.missing_at_most,
        len(snapshot.handles),
        len(mark.threads) > 0,
        MappingProxyType({str(key): text for key, text in mark.type_names.items()}),
        MappingProxyType({str(key): text for key, text in mark.site_names.items()}),
    )
    head = json.dumps(to_plain(named), allow_nan=False).encode("ascii")
    stored = {name: column.astype(_COLUMNS[name]) for name, column in columns.items()}
    return _LENGTH.pack(len(head)) + head + pack(stored)


def decode_mark(data: bytes, snapshot: Snapshot) -> MarkedState:
    """The mark in ``data``, beside the snapshot that it was stored with.

    Raises ``FileFormatError``.
    """
    named, packed = _head(data)
    columns = unpack(packed, _COLUMNS)
    rows = _kept_rows(named, columns, snapshot)
    gone = {name: _column(name, columns) for name in ("ids", *_INDICES, "strong", "resources")}
    gone["created_at"] = _column("created_at", columns)
    if len({len(column) for column in gone.values()}) != 1:
        raise FileFormatError("a mark is damaged: its columns differ in length")
    whole = {
        name: np.concatenate([picked(snapshot.handles, of, rows), gone[name]])
        for name, of in (("ids", "ids"), *_SAME)
    }
    strong = picked(snapshot.handles, "strong", rows) + columns["kept_strong"]
    whole["strong"] = np.concatenate([strong, gone["strong"]])
    resources = picked(snapshot.handles, "resources", rows) ^ columns["kept_resources"]
    whole["resources"] = np.concatenate([resources, gone["resources"]])
    _check(whole)
    order = np.argsort(whole["ids"], kind="stable")
    found = {name: _frozen(column[order]) for name, column in whole.items()}
    if not named.has_threads:
        found["threads"] = _frozen(np.empty(0, np.int64))
    return MarkedState(
        name=named.name,
        at=named.at,
        process=_identity(named.process),
        program=named.program,
        created=columns["created"],
        type_names=_by_number(named.type_names),
        site_names=_by_number(named.site_names),
        missing_at_most=named.missing_at_most,
        **found,
    )


def _rows_of(
    mark: MarkedState, snapshot: Snapshot
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Rows of the snapshot with the facts of a handle of the mark, and which handles have one."""
    handles = snapshot.handles
    nothing = np.zeros(len(mark), np.bool_)
    if not len(handles) or mark.process != (snapshot.target.pid, snapshot.target.start_time):
        return np.empty(0, np.int64), nothing
    order = np.argsort(handles.ids)
    places = np.minimum(np.searchsorted(handles.ids, mark.ids, sorter=order), len(order) - 1)
    rows = order[places]
    kept = handles.ids[rows] == mark.ids
    for ours, theirs in _SAME:
        column = getattr(mark, ours)
        if len(column) == len(mark):
            kept &= _equal(column, picked(handles, theirs, rows))
    return rows[kept], kept


def _equal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = one == other
    return same | (np.isnan(one) & np.isnan(other)) if one.dtype.kind == "f" else same


def _head(data: bytes) -> tuple[_Named, bytes]:
    end = _LENGTH.size + (_LENGTH.unpack_from(data)[0] if len(data) >= _LENGTH.size else 0)
    try:
        plain = json.loads(data[_LENGTH.size : end])
    except (ValueError, RecursionError):
        raise FileFormatError("a mark is damaged: its head is not JSON") from None
    return from_plain(_Named, plain), data[end:]


def _kept_rows(
    named: _Named, columns: dict[str, npt.NDArray[Any]], snapshot: Snapshot
) -> npt.NDArray[np.int64]:
    count = len(snapshot.handles)
    if named.handles != count or len(columns["kept"]) != (count + 7) // 8:
        raise FileFormatError("a mark is damaged: it belongs to another snapshot")
    rows = np.flatnonzero(np.unpackbits(columns["kept"], count=count))
    if not len(rows) == len(columns["kept_strong"]) == len(columns["kept_resources"]):
        raise FileFormatError("a mark is damaged: its columns differ in length")
    return rows


def _column(name: str, columns: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    if name not in _STEPS:
        return columns[name]
    if len(columns[name]) % 8:
        raise FileFormatError(f"a mark is damaged: {name} is cut short")
    return from_steps(columns[name], _STEPS[name])


def _check(columns: dict[str, npt.NDArray[Any]]) -> None:
    births = columns["created_at"]
    good = bool(np.all(np.isnan(births) | (np.abs(births) <= FLOAT_LIMIT)))
    good &= int(columns["resources"].max(initial=0)) <= max(Resource)
    for name in (*_INDICES, "strong"):
        column = columns[name]
        least = -COUNT_LIMIT if name == "strong" else 0
        most = COUNT_LIMIT if name == "strong" else 1 << 32
        good &= not len(column) or least <= int(column.min()) <= int(column.max()) < most
    if not good:
        raise FileFormatError("a mark is damaged: a column is out of range")


def _identity(process: tuple[int, ...]) -> Identity:
    if len(process) != 2:
        raise FileFormatError("a mark is damaged: it is of no process")
    return process[0], process[1]


def _by_number(names: MappingProxyType[str, str]) -> MappingProxyType[int, str]:
    try:
        return MappingProxyType({int(key): text for key, text in names.items()})
    except ValueError:
        raise FileFormatError("a mark is damaged: a name has no number") from None


def _frozen(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column.flags.writeable = False
    return column
