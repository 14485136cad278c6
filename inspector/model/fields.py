"""Frozen dataclasses as JSON values and back, driven by their annotations.

Apart from the codec because it knows nothing of snapshots: a field added to a dataclass is carried
without a change here. Reading treats its input as hostile: each value has the annotated type and a
sane range, or the whole is refused. Pure; any thread.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np

from inspector.errors import FileFormatError
from inspector.plain_text import printable

MAX_TEXT: Final = 4096
"""Characters of a text; the rest is cut off."""
_LEAST_INT: Final = -(2**63)
_MOST_INT: Final = 2**64 - 1
"""Integers are what numpy columns can hold, signed or unsigned."""
FLOAT_LIMIT: Final = 2.5e11
"""Seconds: later than that is no date that Python can print. All floats of a snapshot are times,
durations or shares."""
COUNT_LIMIT: Final = 1 << 53
"""No count is larger: sums and differences of such stay whole numbers, as integers and as
floats."""


class _Bound:
    """Annotates whole numbers that a file must not exceed."""


Count = Annotated[int, _Bound]
"""A whole number of things, at most ``COUNT_LIMIT``; ``UNKNOWN`` and other small negative numbers
have meanings of their own."""

_RARE: Final = "rare"

Row = TypeVar("Row")
Convert = Callable[[object], object]


def rare() -> str:
    """A text of a dataclass that is empty in most rows, and is not stored there."""
    return field(default="", metadata={_RARE: True})


def to_plain(value: object, *, leave_out: frozenset[str] = frozenset()) -> Any:
    """A value for ``json``: dataclasses as objects, tuples as lists, ``nan`` as ``null``.

    ``leave_out`` names fields of the outermost dataclass that are stored elsewhere. A ``rare``
    field is left out where it is empty.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: to_plain(getattr(value, f.name))
            for f in fields(value)
            if f.name not in leave_out and (_RARE not in f.metadata or getattr(value, f.name))
        }
    if isinstance(value, np.generic):
        return to_plain(value.item())
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    return value


def from_plain(row_type: type[Row], value: object, **given: object) -> Row:
    """The dataclass ``row_type`` from a JSON object.

    ``given`` are fields that were stored elsewhere.

    Raises ``FileFormatError`` for anything that the annotations do not allow. Unknown keys are
    ignored, so that a newer writer may add a field; a missing one takes its default.
    """
    if not isinstance(value, dict):
        raise FileFormatError(f"{row_type.__name__} is not an object")
    known: dict[str, object] = dict(given)
    for name, convert, is_needed in _plan(cast("Hashable", row_type)):
        if name in given:
            continue
        if name in value:
            known[name] = convert(value[name])
        elif is_needed:
            raise FileFormatError(f"{row_type.__name__}.{name} is missing")
    return row_type(**known)


@lru_cache
def _plan(row_type: Any) -> tuple[tuple[str, Convert, bool], ...]:
    """Name, reader and whether it must be there, of each field.

    Made once a type: files hold hundreds of thousands of rows.
    """
    hints = get_type_hints(row_type, include_extras=True)
    return tuple(
        (each.name, _reader(hints[each.name], f"{row_type.__name__}.{each.name}"), _is_needed(each))
        for each in fields(cast("Any", row_type))
    )


def _is_needed(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _reader(hint: object, where: str) -> Convert:
    """The reader of a value of the type ``hint``; ``where`` names it in errors."""
    if hint == Count:
        return lambda value: _whole(value, where, -COUNT_LIMIT, COUNT_LIMIT)
    if hint is int:
        return lambda value: _whole(value, where, _LEAST_INT, _MOST_INT)
    origin = get_origin(hint)
    if origin is tuple:
        item = _reader(get_args(hint)[0], where)
        return lambda value: tuple(map(item, _list(value, where)))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        item = _reader(get_args(hint)[1], where)
        return lambda value: _mapping(item, value, where)
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: from_plain(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: _enum(hint, value, where)
    if hint is float:
        return lambda value: _float(value, where)
    if hint is str:
        return lambda value: _text(value, where)
    return _exact_reader(cast("type", hint), where)


def _text(value: object, where: str) -> str:
    """A text that may be shown.

    It has no characters that a terminal or a window obeys, and is no longer than a name of a live
    target.
    """
    if not isinstance(value, str):
        raise FileFormatError(f"{where} is not str")
    return printable(value[:MAX_TEXT])


def _exact_reader(hint: type, where: str) -> Convert:
    """The reader of flags."""

    def read(value: object) -> object:
        if type(value) is hint:
            return value
        raise FileFormatError(f"{where} is not {hint.__name__}")

    return read


def _whole(value: object, where: str, least: int, most: int) -> int:
    if type(value) is int and least <= value <= most:
        return value
    raise FileFormatError(f"{where} is not int")


def _mapping(item: Convert, value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise FileFormatError(f"{where} is not an object")
    return types.MappingProxyType(
        {printable(key[:MAX_TEXT]): item(each) for key, each in value.items()}
    )


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise FileFormatError(f"{where} is not a list")
    return value


def _enum(hint: type[Enum], value: object, where: str) -> Enum:
    try:
        return hint(value)
    except ValueError:
        raise FileFormatError(f"{where} has no value {_start(value)}") from None


def _start(value: object) -> str:
    """The begin of a value, for an error; a container has a length only."""
    return f"of {len(value)} parts" if isinstance(value, dict | list) else f"{str(value)[:40]!r}"


def _float(value: object, where: str) -> float:
    if value is None:
        return math.nan
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not -FLOAT_LIMIT <= value <= FLOAT_LIMIT
    ):
        raise FileFormatError(f"{where} is not a number in range")
    return float(value)
