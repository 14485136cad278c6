"""Stands in for the native library in the pure wheel.

It has the schema's numbers and record layouts, so files open. Each function of the native library
raises ``NoNativeLibraryError``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from inspector.errors import NoNativeLibraryError

IS_STAND_IN: Final = True
_SCHEMA: Final = json.loads(
    Path(__file__).with_name("native_schema.json").read_text(encoding="utf-8")
)


def _refuse(*_: object, **__: object) -> Any:
    raise NoNativeLibraryError


def _ctype(name: str, size: int, count: int | None = None) -> SimpleNamespace:
    """The facts that the schema reads of a type of cffi."""
    item = SimpleNamespace(kind="primitive", cname=name, size=size)
    if count is None:
        return item
    return SimpleNamespace(kind="array", length=count, item=item, size=size * count)


class _Lib:
    """Constants of the header; every other name is a function that refuses."""

    def __getattr__(self, name: str) -> int | Callable[..., Any]:
        found: int | None = _SCHEMA["constants"].get(name)
        if found is not None:
            return found
        if name.startswith("ai_"):
            return _refuse
        raise AttributeError(name)


class _Ffi:
    """Types of records and their sizes; everything else refuses."""

    NULL = None

    def typeof(self, name: str) -> SimpleNamespace:
        record = _SCHEMA["records"].get(name)
        if record is None:
            return SimpleNamespace(kind="pointer", cname=name)
        members = [
            (each[0], SimpleNamespace(offset=each[1], type=_ctype(*each[2:])))
            for each in record["fields"]
        ]
        return SimpleNamespace(kind="struct", cname=name, size=record["size"], fields=members)

    def sizeof(self, kind: str | SimpleNamespace) -> int:
        found = self.typeof(kind) if isinstance(kind, str) else kind
        return int(found.size)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return _refuse


lib: Final = _Lib()
ffi: Final = _Ffi()
