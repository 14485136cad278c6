"""Compares what commands print with ``docs/schema.json``."""

from __future__ import annotations

import copy
import json
from typing import Any

from jsonschema import Draft202012Validator

from tests.helpers.targets import ROOT

PAGE = ROOT / "docs" / "schema.json"


def faults(command: str, value: Any) -> list[str]:
    """Differences of an answer from its schema, which allows no key that it does not name."""
    schema = _strict(json.loads(PAGE.read_text(encoding="utf-8"))["$defs"][command])
    return [
        f"{'/'.join(map(str, each.absolute_path))}: {each.message}"
        for each in Draft202012Validator(schema).iter_errors(value)
    ]


def _strict(schema: Any) -> Any:
    """The schema, refusing keys that it does not name."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _strict(each) for name, each in copy.copy(schema).items()}
    if "required" in schema:
        found["additionalProperties"] = False
    return found
