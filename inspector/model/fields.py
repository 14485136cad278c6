"""Frozen dataclasses as JSON values and back, driven by their annotations.

Apart from the codec because it knows nothing of snapshots: a field added to a dataclass is carried without a change here.
Reading treats its input as hostile: each value has the annotated type and a sane range, or the whole is refused.
Pure; any thread.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from typing import Any, Final, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np

from inspector.errors import FileFormatError

INTEGER_RANGE: Final = range(-(2**63), 2**64)
"""What numpy columns can hold, signed or unsigned."""
FLOAT_LIMIT: Final = 2.5e11
"""Seconds: later than that is no date that Python can print. All floats of a snapshot are times, durations or shares."""

Row = TypeVar("Row")


def to_plain(value: object, *, leave_out: frozenset[str] = frozenset()) -> Any:
    """What ``json`` can write: dataclasses as objects, tuples as lists, ``nan`` as ``null``.

    ``leave_out`` names fields of the outermost dataclass that are stored elsewhere.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value) if f.name not in leave_out}
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
    """The dataclass ``row_type`` from a JSON object; ``given`` are fields that were stored elsewhere.

    Raises ``FileFormatError`` for anything that the annotations do not allow. Unknown keys are ignored, so that a newer writer
    may add a field; a missing one takes its default.
    """
    if not isinstance(value, dict):
        raise FileFormatError(f"{row_type.__name__} is not an object")
    hints = get_type_hints(row_type)
    known: dict[str, object] = dict(given)
    for each in fields(cast("Any", row_type)):
        if each.name not in given:
            _take_field(each, hints[each.name], value, known, where=f"{row_type.__name__}.{each.name}")
    return row_type(**known)


def _take_field(each: Field[Any], hint: object, value: dict[str, object], known: dict[str, object], *, where: str) -> None:
    if each.name in value:
        known[each.name] = _convert(hint, value[each.name], where)
    elif each.default is MISSING and each.default_factory is MISSING:
        raise FileFormatError(f"{where} is missing")


def _convert(hint: object, value: object, where: str) -> object:
    origin = get_origin(hint)
    if origin is tuple:
        item = get_args(hint)[0]
        return tuple(_convert(item, each, where) for each in _list(value, where))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(get_args(hint)[1], value, where)
    if isinstance(hint, type) and is_dataclass(hint):
        return from_plain(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint, value, where)
    return _scalar(hint, value, where)


def _mapping(item: object, value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise FileFormatError(f"{where} is not an object")
    return types.MappingProxyType({str(key): _convert(item, each, where) for key, each in value.items()})


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise FileFormatError(f"{where} is not a list")
    return value


def _enum(hint: type[Enum], value: object, where: str) -> Enum:
    try:
        return hint(value)
    except ValueError:
        raise FileFormatError(f"{where} has no value {str(value)[:40]!r}") from None


def _scalar(hint: object, value: object, where: str) -> object:
    if hint is float:
        return _float(value, where)
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str):
        return value
    if hint is int and isinstance(value, int) and not isinstance(value, bool) and value in INTEGER_RANGE:
        return value
    raise FileFormatError(f"{where} is not {getattr(hint, '__name__', hint)}")


def _float(value: object, where: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float) or not -FLOAT_LIMIT <= value <= FLOAT_LIMIT:
        raise FileFormatError(f"{where} is not a number in range")
    return float(value)
