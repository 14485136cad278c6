"""Columns of dataclasses as files have them. Pure; any thread.

Each has its dtype, its allowed values, and the addition that brought it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

UNKNOWN: Final = -1
_NAME: Final = "stored"


class Check(Enum):
    """The values that a column may have."""

    ID = "id"
    """Numbers of handles."""
    INDEX = "index"
    """Of a type, a thread or a stack; 0: none."""
    COUNT = "count"
    """Whole numbers in the range that floats keep exactly, or ``UNKNOWN``."""
    REFERENCE = "reference"
    """``Reference`` values."""
    RESOURCE = "resource"
    """``Resource`` values."""
    BITS = "bits"
    """Any bits."""
    FLAG = "flag"
    TIME = "time"
    """Seconds since the Unix epoch, or ``nan``."""

    @property
    def blank(self) -> float:
        """The value for a row of which nothing is known."""
        return {Check.COUNT: UNKNOWN, Check.TIME: float("nan")}.get(self, 0)


class Stored(NamedTuple):
    """How a column is stored."""

    dtype: str
    check: Check
    since: int
    """Files know it since this addition; 0: from the beginning."""


def stored(dtype: str, check: Check, *, since: int = 0) -> Mapping[str, Stored]:
    """Metadata of a field that is an array, one element a row."""
    return MappingProxyType({_NAME: Stored(dtype, check, since)})


@lru_cache
def stored_columns(row_type: Any) -> dict[str, Stored]:
    """The stored columns of a dataclass by name, in their order."""
    return {each.name: each.metadata[_NAME] for each in fields(row_type) if _NAME in each.metadata}


def blank_columns(row_type: Any, rows: int) -> dict[str, npt.NDArray[Any]]:
    """All columns of ``rows`` rows of which nothing is known."""
    return {
        name: np.full(rows, how.check.blank, how.dtype)
        for name, how in stored_columns(row_type).items()
    }
