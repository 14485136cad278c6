"""The JSON Schema in the documents is derived from what commands print."""

from __future__ import annotations

import os

import pytest
from jsonschema import Draft202012Validator

from inspector.commands.pending import closes_value
from inspector.commands.subcommands import SUBCOMMANDS
from inspector.commands.support.json_schema import DOCUMENTS, document_schema, schema_text
from inspector.commands.support.rows import snapshot_value
from inspector.commands.threads import threads_value
from inspector.model.columns import JSON_COLUMNS
from tests.helpers.documents import PAGE, faults
from tests.helpers.secrets import secret_snapshot
from tests.helpers.varied import varied_snapshot


def test_the_page_is_the_derived_schema() -> None:
    """``REWRITE_EXPECTED=1`` writes it again, for an intended change."""
    if os.environ.get("REWRITE_EXPECTED"):
        PAGE.write_text(schema_text(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_answer_has_a_sound_schema_with_the_version(name: str) -> None:
    schema = document_schema(DOCUMENTS[name])
    Draft202012Validator.check_schema(schema)
    for choice in schema.get("anyOf", [schema]):
        assert choice["properties"]["schema"] == {"const": 1}
        assert "schema" in choice["required"]


def test_every_command_with_json_has_a_schema() -> None:
    commands = [each.load() for each in SUBCOMMANDS]
    with_json = {each.name for each in commands if any("--json" in p.opts for p in each.params)}
    assert with_json == set(DOCUMENTS)


def test_a_handle_of_the_schema_has_every_column() -> None:
    row = document_schema(DOCUMENTS["handles"])["properties"]["handles"]["items"]
    assert list(row["properties"]) == [*(each.key for each in JSON_COLUMNS), "failed_callbacks"]
    assert row["properties"]["strong"] == {"type": ["integer", "null"]}
    assert row["properties"]["id"] == {"type": "string"}


def test_every_state_and_unknown_value_fits_the_schema() -> None:
    for snapshot in (varied_snapshot(), secret_snapshot()):
        rows = range(len(snapshot.handles))
        assert faults("handles", {"schema": 1, **snapshot_value(snapshot, rows)}) == []
        assert faults("pending", {"schema": 1, **closes_value(snapshot, None)}) == []
        assert faults("threads", {"schema": 1, **threads_value(snapshot)}) == []


def test_another_answer_does_not_fit() -> None:
    value = {"schema": 1, **snapshot_value(varied_snapshot(), range(3))}
    assert faults("handles", {**value, "schema": 2}) != []
    assert faults("handles", {**value, "more": 1}) != []
    value["handles"][0]["strong"] = "3"
    assert faults("handles", value) != []


def test_whole_stacks_stand_once_and_rows_name_them() -> None:
    value = snapshot_value(secret_snapshot(), range(3))
    numbers = {row["stack"] for row in value["handles"]}
    assert {str(number) for number in numbers} == set(value["stacks"])
    assert [frame["line"] for frame in value["stacks"]["1"]["frames"]] == [41, 7, 900, 12, None]
