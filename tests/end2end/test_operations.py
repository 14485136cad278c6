"""Effects of each control operation: the lists of viewer, target and documents agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.attach.control import ControlConnection
from inspector.vocabulary import OPERATIONS
from inspector.wire.schema import LAYOUT_VERSION
from tests.helpers.tables import ask, connect
from tests.helpers.targets import ROOT, Target, start_target

NAMES = {each.name for each in OPERATIONS}
CHANGING = {each.name for each in OPERATIONS if each.changes}
TABLE = ROOT / "docs" / "threat-model.md"
FIELDS = {
    "level": {"level": 1},
    "interval": {"interval_ms": 100},
    "type_level": {"type_id": 60_000, "level": 1},
    "declare": {"declarations": [{"class": "__main__.Session", "handle": "close()"}]},
    **{op: {"handles": [2]} for op in ("preview", "close")},
    **{
        op: {"handle": 2}
        for op in ("cancel", "withdraw", "referrers", "holders", "retainers", "cycles")
    },
}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A program with a class that is not declared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("folder"))
        with start_target("declared_steps") as started:
            started.ask("session kept")
            yield started


def rows_of_the_table() -> dict[str, list[str]]:
    """The documents' table by operation: changes, code that runs, arming and audit."""
    lines = re.findall(r"^\| `(\w+)` \|(.*)\|$", TABLE.read_text(), re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in lines}


def test_the_documents_list_every_operation_and_which_has_to_be_armed() -> None:
    rows = rows_of_the_table()
    assert set(rows) == NAMES
    assert {name for name, cells in rows.items() if cells[2] == "yes"} == CHANGING
    assert all(cells[3].startswith("yes") for name, cells in rows.items() if name in CHANGING)


def test_the_target_knows_the_same_operations_and_refuses_the_same_ones_when_unarmed(
    target: Target,
) -> None:
    with ControlConnection(
        Path(target.ready["segment"]).with_suffix(".sock"), pid=target.pid
    ) as peer:
        assert peer.ask("hello", wait_secs=30, layout=LAYOUT_VERSION, role="command").ok
        known = peer.ask("nonsense", wait_secs=30).error
        refused = {
            op
            for op in NAMES - {"hello"}
            if peer.ask(op, wait_secs=30, **FIELDS.get(op, {})).status == "NotArmed"
        }
    assert set(re.findall(r"`(\w+)`", known.partition("expected")[2])) == NAMES
    assert refused == CHANGING
    assert target.ask("is_open kept")


def test_declaring_on_an_armed_connection_is_kept_in_the_audit_with_what_runs(
    target: Target,
) -> None:
    with connect(target.ready["segment"], target.pid) as peer:
        ask(
            peer,
            "declare",
            declarations=[{"class": "__main__.Nothing", "handle": "wipe()", "close": "shut"}],
        )
        act = ask(peer, "audit")["acts"][-1]
    assert (act["op"], act["outcome"]) == ("declare", "done")
    assert act["wish"] == {"declarations": 1, "runs": "__main__.Nothing, wipe(), shut"}
