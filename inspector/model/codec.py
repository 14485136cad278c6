r"""A snapshot as bytes and back: the content of screenshots and session files.

    magic "arcsnap\0" (8) | version u32 | JSON bytes u32 | column bytes u64 | zlib stream of (JSON, columns)

All numbers are little endian. The JSON names the columns; each column is its raw elements, in the
order of the list, or since version 2 for some columns their steps (``column_steps``). Nothing is
pickled. ``decode`` treats its input as hostile: sizes are bounded
before and after decompression, and every value is checked, so that the result is as good as a
snapshot of a live target.

Pure; any thread. 100,000 rows take a few tens of milliseconds to read and a few hundred to write:
not on the GUI thread's frame.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NoReturn, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from inspector.errors import FileFormatError
from inspector.model.column_steps import RELATIVE_TO, as_steps, from_steps
from inspector.model.fields import COUNT_LIMIT, FLOAT_LIMIT, from_plain, to_plain
from inspector.model.snapshot import Handles, Snapshot, ThreadRow, TypeRow, Vitals, sites_named
from inspector.model.stacks import Site
from inspector.model.stored import Check, Stored, stored_columns
from inspector.vocabulary import Reference, Resource

VERSION: Final = 2
OLDEST: Final = 1
"""Without steps."""
MAGIC: Final = b"arcsnap\0"
MAX_ENCODED_BYTES: Final = 64 << 20
MAX_DECODED_BYTES: Final = 512 << 20
"""JSON and columns together; two million rows with everything known are 300 MB."""
MAX_HEADER_BYTES: Final = 64 << 20
"""The JSON alone: a segment full of stacks that are all as deep as they may be."""
SMALL_BYTES: Final = 1 << 20
"""So much may be unpacked of any file; of more, each byte of the file answers for ``MOST_PACKED``
at most."""
MOST_PACKED: Final = 250
"""Bytes that one byte of a file may stand for: constant columns are packed 230 times, names and
stacks 25 times."""
MAX_INDEX: Final = 1 << 16
"""Of types, threads and stacks: a segment counts them with 16 bits."""
MAX_SLOT: Final = 1 << 21
"""Of handles: so many rows has a segment at most."""
COMPRESSION_LEVEL: Final = 1
"""Level 6 takes four times as long for a tenth less (100,000 rows: 0.4 s against 0.1 s)."""

_HEAD: Final = struct.Struct("<8sIIQ")
_SLOT_BITS: Final = np.uint64(0xFFFF_FFFF)
_COLUMNS: Final[Mapping[str, Stored]] = MappingProxyType(
    {
        f"{part}.{name}": how
        for part, rows in (("handles", Handles), ("vitals", Vitals))
        for name, how in stored_columns(rows).items()
    }
)
"""All columns of a file in their order."""


class _Indexed(Protocol):
    @property
    def index(self) -> int: ...


Row = TypeVar("Row", bound=_Indexed)
Column = npt.NDArray[Any]


def encode(snapshot: Snapshot) -> bytes:
    """``snapshot`` as bytes that ``decode`` gives back unchanged.

    Raises ``FileFormatError`` when it is larger than a file may be.
    """
    columns = _columns_of(snapshot)
    header = json.dumps(
        _header_of(snapshot, columns), separators=(",", ":"), allow_nan=False
    ).encode("ascii")
    column_bytes = sum(column.nbytes for column in columns.values())
    if len(header) + column_bytes > MAX_DECODED_BYTES or len(header) > MAX_HEADER_BYTES:
        raise FileFormatError(f"too many rows for one file: {len(snapshot.handles):,}")
    packer = zlib.compressobj(COMPRESSION_LEVEL)
    parts = [_HEAD.pack(MAGIC, VERSION, len(header), column_bytes), packer.compress(header)]
    parts += [packer.compress(_raw(name, columns)) for name in columns]
    encoded = b"".join([*parts, packer.flush()])
    if len(encoded) > MAX_ENCODED_BYTES:
        raise FileFormatError(
            f"too large for one file: {len(encoded) >> 20} MiB packed, the "
            f"limit is {MAX_ENCODED_BYTES >> 20} MiB"
        )
    return encoded


def decode(data: bytes) -> Snapshot:
    """The snapshot in ``data``. Arrays are read-only.

    Raises ``FileFormatError``, one line, for anything that ``encode`` would not have written.
    """
    version, header_bytes, column_bytes = _read_head(data)
    body = memoryview(_unpack(data[_HEAD.size :], header_bytes + column_bytes))
    header = _read_json(bytes(body[:header_bytes]))
    columns = _read_columns(header.get("columns"), body[header_bytes:], has_steps=version > OLDEST)
    return _build(header, columns)


def _columns_of(snapshot: Snapshot) -> dict[str, Column]:
    return {
        name: np.ascontiguousarray(attrgetter(name)(snapshot), dtype=how.dtype)
        for name, how in _COLUMNS.items()
    }


def _raw(name: str, columns: Mapping[str, Column]) -> bytes:
    if name not in RELATIVE_TO:
        return columns[name].tobytes()
    return as_steps(columns[name], columns.get(RELATIVE_TO[name])).tobytes()


def _header_of(snapshot: Snapshot, columns: Mapping[str, Column]) -> dict[str, object]:
    return {
        "columns": [[name, column.dtype.str, len(column)] for name, column in columns.items()],
        "snapshot": to_plain(
            snapshot, leave_out=frozenset({"handles", "vitals", "types", "threads", "sites"})
        ),
        "vitals": to_plain(snapshot.vitals, leave_out=frozenset(stored_columns(Vitals))),
        "types": [to_plain(row) for row in snapshot.types.values()],
        "threads": [to_plain(row) for row in snapshot.threads.values()],
        "sites": [
            to_plain(row, leave_out=frozenset({"packages"})) for row in snapshot.sites.values()
        ],
    }


def _read_head(data: bytes) -> tuple[int, int, int]:
    """Version, bytes of the JSON and of the columns."""
    if len(data) > MAX_ENCODED_BYTES:
        raise FileFormatError(f"the snapshot is larger than {MAX_ENCODED_BYTES >> 20} MiB")
    if len(data) < _HEAD.size or not data.startswith(MAGIC):
        raise FileFormatError("not a snapshot: its first bytes do not match")
    _, version, header_bytes, column_bytes = _HEAD.unpack_from(data)
    if not OLDEST <= version <= VERSION:
        raise FileFormatError(
            f"the snapshot has format version {version}, this program reads versions {OLDEST} to "
            f"{VERSION}"
        )
    if header_bytes + column_bytes > MAX_DECODED_BYTES or header_bytes > MAX_HEADER_BYTES:
        raise FileFormatError(
            f"the snapshot says that it unpacks to more than {MAX_DECODED_BYTES >> 20} MiB"
        )
    if header_bytes + column_bytes > SMALL_BYTES + MOST_PACKED * len(data):
        raise FileFormatError(
            "the snapshot is damaged: its stated unpacked size is far above its size"
        )
    return version, header_bytes, column_bytes


def _unpack(packed: bytes, size_bytes: int) -> bytes:
    """Exactly ``size_bytes``; never makes more than one byte too many."""
    unpacker = zlib.decompressobj()
    try:
        body = unpacker.decompress(packed, size_bytes + 1)
    except (zlib.error, MemoryError) as error:
        raise FileFormatError(f"the snapshot is damaged: {error}") from None
    if len(body) != size_bytes or not unpacker.eof or unpacker.unused_data:
        raise FileFormatError("the snapshot is cut short, or longer than it says")
    return body


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _read_json(header: bytes) -> dict[str, object]:
    try:
        value = json.loads(header.decode("ascii"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise FileFormatError("the snapshot is damaged: its header is not JSON") from None
    if not isinstance(value, dict):
        raise FileFormatError("the snapshot is damaged: its header is not an object")
    return value


def _read_columns(listed: object, body: memoryview, *, has_steps: bool) -> dict[str, Column]:
    expected = {name: how.dtype for name, how in _COLUMNS.items()}
    columns: dict[str, Column] = {}
    if not isinstance(listed, list):
        raise FileFormatError("the snapshot is damaged: it lists no columns")
    missing = {name: expected.pop(name) for name in _missing(len(expected) - len(listed))}
    if len(listed) != len(expected):
        raise FileFormatError("the snapshot is damaged: its list of columns is another")
    offset = 0
    for entry, (name, dtype) in zip(listed, expected.items(), strict=True):
        count = _column_length(entry, name, dtype)
        size_bytes = count * np.dtype(dtype).itemsize
        if offset + size_bytes > len(body):
            raise FileFormatError(f"the snapshot is damaged: column {name} is longer than the file")
        raw = body[offset : offset + size_bytes]
        if has_steps and name in RELATIVE_TO:
            columns[name] = _from_steps(name, dtype, raw, columns)
        else:
            columns[name] = _column(name, dtype, raw)
        offset += size_bytes
    if offset != len(body):
        raise FileFormatError("the snapshot is damaged: there is more than its columns")
    for name, dtype in missing.items():
        filled = np.full(
            len(columns["handles.ids"]) if name.startswith("handles.") else 0,
            _COLUMNS[name].check.blank,
            dtype,
        )
        columns[name] = _column(name, dtype, memoryview(filled.tobytes()))
    return columns


def _missing(count: int) -> tuple[str, ...]:
    """The columns that a file lacks: the ``count`` columns that were added last."""
    missing: tuple[str, ...] = ()
    for addition in range(max(how.since for how in _COLUMNS.values()), 0, -1):
        if len(missing) < count:
            missing += tuple(name for name, how in _COLUMNS.items() if how.since == addition)
    return missing


def _column_length(entry: object, name: str, dtype: str) -> int:
    if not isinstance(entry, list) or len(entry) != 3 or entry[:2] != [name, dtype]:
        raise FileFormatError(f"the snapshot is damaged: column {name} is another")
    count = entry[2]
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_DECODED_BYTES:
        raise FileFormatError(f"the snapshot is damaged: column {name} has no length")
    return count


def _column(name: str, dtype: str, raw: memoryview) -> Column:
    if dtype == "|b1":
        codes = np.frombuffer(raw, dtype=np.uint8)
        _check(not len(codes) or int(codes.max()) <= 1, name)
        column: Column = codes.astype(np.bool_)
    else:
        stored = np.frombuffer(raw, dtype=dtype)
        column = stored.astype(stored.dtype.newbyteorder("="))
    column.setflags(write=False)
    return column


def _from_steps(name: str, dtype: str, raw: memoryview, columns: Mapping[str, Column]) -> Column:
    base = columns.get(RELATIVE_TO[name])
    _check(base is None or base.nbytes == len(raw), f"the length of {name}")
    column = from_steps(np.frombuffer(raw, np.uint8), dtype, base)
    column.setflags(write=False)
    return column


def _check(good: bool, name: str) -> None:
    if not good:
        raise FileFormatError(f"the snapshot is damaged: {name} is out of range")


def _build(header: Mapping[str, object], columns: Mapping[str, Column]) -> Snapshot:
    vitals = {name: columns[f"vitals.{name}"] for name in stored_columns(Vitals)}
    _check_vitals(vitals)
    types = _rows(TypeRow, header.get("types"))
    return from_plain(
        Snapshot,
        header.get("snapshot"),
        handles=_handles({name: columns[f"handles.{name}"] for name in stored_columns(Handles)}),
        vitals=from_plain(Vitals, header.get("vitals"), **vitals),
        types=types,
        threads=_rows(ThreadRow, header.get("threads")),
        sites=sites_named(_rows(Site, header.get("sites")), types),
    )


def _handles(columns: dict[str, Column]) -> Handles:
    rows = len(columns["ids"])
    for name, how in stored_columns(Handles).items():
        column = columns[name]
        _check(len(column) == rows, f"the length of {name}")
        _check(not rows or _IS_GOOD[how.check](column), name)
    return Handles(**columns)


_IS_GOOD: Final[Mapping[Check, Callable[[Column], bool]]] = MappingProxyType(
    {
        Check.ID: lambda column: int((column & _SLOT_BITS).max()) >> 1 < MAX_SLOT,
        Check.INDEX: lambda column: int(column.min()) >= 0 and int(column.max()) < MAX_INDEX,
        Check.COUNT: lambda column: _are_counts(column),
        Check.REFERENCE: lambda column: int(column.max()) <= max(Reference),
        Check.RESOURCE: lambda column: int(column.max()) <= max(Resource),
        Check.BITS: lambda column: True,
        Check.FLAG: lambda column: True,
        Check.TIME: lambda column: bool(np.all(np.isnan(column) | (np.abs(column) <= FLOAT_LIMIT))),
    }
)


def _check_vitals(columns: Mapping[str, Column]) -> None:
    """Check the counters of one moment: each column has a number for each type.

    Older files have no counts of live handles.
    """
    types = len(columns["created"])
    for name, column in columns.items():
        _check(
            len(column) == types or (name == "lives" and not len(column)), f"the length of {name}"
        )
        _check(len(column) <= MAX_INDEX and _are_counts(column), name)


def _are_counts(column: Column) -> bool:
    return not len(column) or -COUNT_LIMIT < int(column.min()) <= int(column.max()) < COUNT_LIMIT


def _rows(row_type: type[Row], listed: object) -> Mapping[int, Row]:
    if not isinstance(listed, list):
        raise FileFormatError(f"the snapshot is damaged: no list of {row_type.__name__}")
    _check(len(listed) <= MAX_INDEX, f"the number of {row_type.__name__}s")
    rows: dict[int, Row] = {}
    for entry in listed:
        row = from_plain(row_type, entry)
        _check(
            0 <= row.index < MAX_INDEX and row.index not in rows,
            f"the index of a {row_type.__name__}",
        )
        rows[row.index] = row
    return MappingProxyType(rows)
