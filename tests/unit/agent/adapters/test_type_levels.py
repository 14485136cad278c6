"""The level of one type: sites of its births, and unchanged levels of other types."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bdkpython as bdk
import nostr_sdk
import pytest

from inspector.agent.adapters.declared import DeclaredAdapter
from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.agent.agent import segment_path
from inspector.vocabulary import Level
from inspector.wire import lib
from inspector.wire.declaration_files import Declared, read_named
from tests.helpers.tables import read_table
from tests.unit.agent.adapters.table_recorder import TableRecorder

AS_THE_PROCESS = 255


class Policy(nostr_sdk.AdmitPolicy):
    pass


def frames(name: str) -> int:
    """Frames of the site where the newest row of a type was born; -1: there is no row."""
    rows = read_table(segment_path()).live(name)
    return len(max(rows, key=lambda row: row.created_at_ticks).created) if rows else -1


def deeply(make: Callable[[], Any]) -> Any:
    """Three frames of the program at least."""
    return (lambda: (lambda: make())())()


@pytest.fixture
def only() -> Iterator[Callable[[str, Level], None]]:
    """Sets the level of the type of this name."""
    changed: list[int] = []

    def only(name: str, level: Level) -> None:
        changed.extend(row.type_index for row in read_table(segment_path()).live(name)[:1])
        assert lib.ai_set_type_level(changed[-1], level) == 0

    yield only
    for index in changed:
        lib.ai_set_type_level(index, AS_THE_PROCESS)


def test_stacks_of_one_type_of_proxies_leave_the_others_as_they_are(
    adapter: UniffiAdapter, recorder: TableRecorder, only: Callable[[str, Level], None]
) -> None:
    kept = [bdk.Amount.from_sat(1), bdk.Mnemonic(bdk.WordCount.WORDS12)]
    assert (frames("Amount"), frames("Mnemonic")) == (0, 0)
    only("Amount", Level.STACKS)
    kept = [
        deeply(lambda: bdk.Amount.from_sat(1)),
        deeply(lambda: bdk.Mnemonic(bdk.WordCount.WORDS12)),
    ]
    assert frames("Amount") > 3
    assert frames("Mnemonic") == 0

    lib.ai_set_level(Level.HISTORY)
    kept = [
        deeply(lambda: bdk.Amount.from_sat(1)),
        deeply(lambda: bdk.Mnemonic(bdk.WordCount.WORDS12)),
    ]
    assert frames("Amount") > 3
    assert frames("Mnemonic") == 1
    kept.clear()


def test_a_type_can_record_less_than_the_process(
    adapter: UniffiAdapter, recorder: TableRecorder, only: Callable[[str, Level], None]
) -> None:
    kept = [bdk.Amount.from_sat(1)]
    lib.ai_set_level(Level.STACKS)
    only("Amount", Level.HISTORY)
    kept = [deeply(lambda: bdk.Amount.from_sat(1))]
    assert frames("Amount") == 1
    kept.clear()


def test_stacks_of_one_type_of_python_objects_that_rust_holds(
    adapter: UniffiAdapter, recorder: TableRecorder, only: Callable[[str, Level], None]
) -> None:
    kept = [nostr_sdk.ClientBuilder().admit_policy(Policy())]
    assert frames("Policy") == 0
    only("Policy", Level.STACKS)
    kept = [deeply(lambda: nostr_sdk.ClientBuilder().admit_policy(Policy()))]
    assert frames("Policy") > 3
    assert frames("ClientBuilder") == 0
    kept.clear()


def test_clones_in_transit_are_seen_of_a_type_that_alone_has_a_history(
    adapter: UniffiAdapter, recorder: TableRecorder, only: Callable[[str, Level], None]
) -> None:
    functions = dict(vars(bdk.bdk._UniffiLib))
    amount = bdk.Amount.from_sat(1)
    only("Amount", Level.HISTORY)
    adapter.poll()
    assert dict(vars(bdk.bdk._UniffiLib)) != functions
    assert amount.to_sat() == 1


def test_stacks_of_one_declared_class(
    recorder: TableRecorder, only: Callable[[str, Level], None]
) -> None:
    declared = Declared()
    read_named(["sqlite3"], declared, folder=Path())
    adapter = DeclaredAdapter(declared)
    adapter.attach()
    try:
        connection = sqlite3.connect(":memory:")
        cursor = connection.cursor()
        assert (frames("Connection"), frames("Cursor")) == (0, 0)
        only("Cursor", Level.STACKS)
        connection = deeply(lambda: sqlite3.connect(":memory:"))
        cursor = deeply(connection.cursor)
        assert (frames("Connection"), frames("Cursor") > 3) == (0, True)
        del cursor, connection
    finally:
        adapter.detach()
