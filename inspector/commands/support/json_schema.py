"""The JSON Schema of what commands print, derived from the shapes and the columns of a handle.

``docs/schema.json`` is its text; a test compares them.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints, is_typeddict

from inspector.commands.support import act_shapes, answer_shapes, shapes
from inspector.commands.support.output import SCHEMA
from inspector.model.columns import JSON_COLUMNS
from inspector.session.protocol import DrainReport, GcReport

DOCUMENTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "ps": shapes.ProcessesShape,
        "handles": shapes.HandlesShape,
        "open": shapes.HandlesShape,
        "pending": shapes.PendingShape,
        "findings": shapes.FindingsShape,
        "threads": shapes.ThreadsShape,
        "stacks": shapes.StacksShape,
        "events": shapes.EventsShape,
        "holders": shapes.HoldersShape,
        "cycles": shapes.CyclesShape,
        "diff": shapes.DiffShape,
        "query": act_shapes.QueryShape,
        "gc": GcReport,
        "close": act_shapes.ClosesShape,
        "drain": DrainReport,
        "audit": act_shapes.AuditShape,
        "detach": act_shapes.DetachShape,
        "clean": act_shapes.CleanShape,
        "attach": answer_shapes.AttachShape,
        "doctor": answer_shapes.DoctorShape | answer_shapes.MachineShape,
        "adapters": answer_shapes.AdaptersShape | answer_shapes.DeclarationsShape,
        "check": answer_shapes.CheckShape,
    }
)
"""The answer of each command."""
_SIMPLE: Final = MappingProxyType(
    {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
)
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def whole_schema() -> dict[str, Any]:
    """The schema of every command, each under its name in ``$defs``."""
    return {
        "$schema": _DIALECT,
        "title": "Output of arc-inspector --json",
        "description": (
            "Each command's answer is in $defs under its name. Times are seconds since the Unix "
            "epoch; null is unknown. New keys may come; the number in schema grows when a value "
            "changes or goes."
        ),
        "$defs": {name: document_schema(shape) for name, shape in DOCUMENTS.items()},
    }


def document_schema(shape: Any) -> dict[str, Any]:
    """An answer: the shape's object with the number of the schema, or a choice of such objects."""
    if get_origin(shape) is types.UnionType:
        return {"anyOf": [document_schema(each) for each in get_args(shape)]}
    found = _schema_of(shape)
    found["properties"] = {"schema": {"const": SCHEMA}, **found["properties"]}
    found["required"] = ["schema", *found["required"]]
    return found


def schema_text() -> str:
    """The text of ``docs/schema.json``."""
    return json.dumps(whole_schema(), indent=1, ensure_ascii=False) + "\n"


def _schema_of(hint: Any) -> dict[str, Any]:
    """The schema of a value with this annotation."""
    if hint is Any:
        return {}
    if hint in _SIMPLE:
        return {"type": _SIMPLE[hint]}
    if hint is shapes.HandleRow:
        return _object(_handle_columns(), "A handle")
    if hint is shapes.PendingRow:
        hints = get_type_hints(shapes.CloseShape)
        return _object({**_handle_columns(), **hints}, "A handle whose close is pending")
    if is_typeddict(hint):
        return _object(get_type_hints(hint), _first_line(hint))
    if is_dataclass(hint):
        names = [each.name for each in fields(hint)]
        hints = get_type_hints(hint)
        return _object({name: hints[name] for name in names}, _first_line(hint))
    origin, words = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _either([_schema_of(each) for each in words])
    if origin is tuple:
        return {"type": "array", "items": _schema_of(words[0])}
    return {"type": "object", "additionalProperties": _schema_of(words[1])}


def _object(hints: Mapping[str, Any], about: str) -> dict[str, Any]:
    return {
        "description": about,
        "type": "object",
        "properties": {name: _schema_of(hint) for name, hint in hints.items()},
        "required": [name for name in hints if name not in _OPTIONAL],
    }


def _either(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """Simple types as one list, anything else as a choice."""
    if all(list(each) == ["type"] for each in choices):
        return {"type": [each["type"] for each in choices]}
    return {"anyOf": choices}


def _handle_columns() -> dict[str, Any]:
    """The columns with a JSON value and its type, and the keys that only some rows have."""
    hints = {each.key: get_type_hints(each.json)["return"] for each in JSON_COLUMNS if each.json}
    return {**hints, **_OPTIONAL}


_OPTIONAL: Final = MappingProxyType({"failed_callbacks": int | None})
"""Keys that only some handles have."""


def _first_line(shape: Any) -> str:
    return (shape.__doc__ or "").partition("\n")[0].removesuffix(".")
