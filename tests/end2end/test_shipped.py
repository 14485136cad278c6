"""The shipped declarations, each over its unmodified package: rows from birth to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inspector.vocabulary import Resource
from inspector.wire.declaration_files import shipped_names
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import Target, start_target

MADE = [
    ("socket", "socket", True),
    ("mmap", "mmap", True),
    ("sqlite3", "Connection", True),
    ("files", "file", True),
    ("zmq", "Socket", True),
    ("context", "Context", True),
    ("h5py", "File", True),
    ("duckdb", "DuckDBPyConnection", True),
    ("tokenizers", "Tokenizer", False),
    ("model", "BPE", False),
]
"""What the target makes, the type of its row, and whether it closes."""

CLOSED_BY_ITS_FINALISER = ("zmq", "context")


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """One for all: importing these packages takes longer than the tests."""
    with start_target(
        "shipped_steps", env={"ARC_INSPECTOR_ADAPTERS": ":".join(shipped_names())}
    ) as started:
        yield started
        started.ask("stop")
        assert started.finish() == 0
        assert started.errors() == ""


def live(target: Target, name: str) -> int:
    """Live rows of a type, after the agent has looked round."""
    with connect(target.ready["segment"], target.pid) as viewer:
        for _ in range(2):
            ask(viewer, "scan")
            ask(viewer, "gc")
    return len(read_table(target.ready["segment"]).live(name))


def test_every_shipped_file_is_tried() -> None:
    assert {name for name, _, _ in MADE} >= set(shipped_names())


@pytest.mark.parametrize(("kind", "name", "closes"), MADE)
def test_a_handle_has_a_row_from_birth_to_end(
    target: Target, kind: str, name: str, closes: bool
) -> None:
    before = live(target, name)
    target.ask(f"make one {kind}")
    target.ask(f"make two {kind}")
    assert live(target, name) == before + 2
    newest = sorted(
        read_table(target.ready["segment"]).live(name), key=lambda row: row.created_at_ticks
    )[-1]
    assert newest.created[0].startswith("shipped_steps.py:")
    assert newest.created_by == "MainThread"
    if closes:
        target.ask("close one")
        assert live(target, name) == before + 1
    target.ask("drop one")
    target.ask("drop two")
    assert live(target, name) == before
    ended = {
        row.resource
        for row in read_table(target.ready["segment"]).rows
        if row.type == name and not row.is_live
    }
    if kind in CLOSED_BY_ITS_FINALISER:
        assert ended == {Resource.CLOSED}
    elif kind != "files":  # the program's own files came and went over it
        assert (Resource.NEVER_CLOSED if closes else Resource.NONE) in ended
