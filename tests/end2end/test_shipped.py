"""The shipped declarations, each over its unmodified package: rows from birth to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inspector.vocabulary import Resource
from inspector.wire.declaration_files import shipped_names
from tests.helpers.packages import NoPackageError, package_folder
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
    ("lmdb", "Environment", True),
    ("transaction", "Transaction", False),
    ("pygit2", "Repository", False),
    ("blob", "Blob", False),
    ("grpc", "Channel", False),
    ("server", "Server", False),
    ("onnxruntime", "InferenceSession", False),
    ("value", "OrtValue", False),
    ("av", "InputContainer", True),
    ("container", "OutputContainer", False),
    ("frame", "VideoFrame", False),
    ("wasmtime", "Store", True),
    ("engine", "Engine", True),
    ("livekit", "FfiHandle", True),
]
"""What the target makes, the type of its row, and whether it closes."""
FETCHED = {
    "lmdb": ("lmdb==3.0.0",),
    "transaction": ("lmdb==3.0.0",),
    "pygit2": ("pygit2==1.21.0",),
    "blob": ("pygit2==1.21.0",),
    "grpc": ("grpcio==1.85.3",),
    "server": ("grpcio==1.85.3",),
    "onnxruntime": ("onnxruntime==1.32.0",),
    "value": ("onnxruntime==1.32.0",),
    "av": ("av==18.1.0",),
    "container": ("av==18.1.0",),
    "frame": ("av==18.1.0",),
    "wasmtime": ("wasmtime==50.0.1",),
    "engine": ("wasmtime==50.0.1",),
    "livekit": ("livekit==1.2.1", "aiofiles==25.1.0"),
}
"""Packages that are no part of our environment."""
MISSING: dict[str, str] = {}
"""Packages that cannot be had here, and why."""

CLOSED_BY_ITS_FINALISER = ("zmq", "context", "wasmtime", "engine", "livekit")
BORN_UNSEEN = ("transaction", "blob")
"""C makes them without a slot of their type: a search finds them, and their line is not known."""


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """One for all: importing these packages takes longer than the tests."""
    with start_target(
        "shipped_steps", *folders(), env={"ARC_INSPECTOR_ADAPTERS": ":".join(shipped_names())}
    ) as started:
        yield started
        started.ask("stop")
        assert started.finish() == 0
        assert started.errors() == ""


def folders() -> list[str]:
    """The folders of the packages that can be had."""
    found: dict[str, str] = {}
    for requirement in sorted({each for some in FETCHED.values() for each in some}):
        try:
            found[requirement] = str(package_folder(requirement))
        except NoPackageError as error:
            MISSING[requirement] = str(error)
    return list(found.values())


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
    for requirement in FETCHED.get(kind, ()):
        if requirement in MISSING:
            pytest.skip(MISSING[requirement])
    target.ask(f"make one {kind}")
    target.ask("drop one")
    before = live(target, name)
    target.ask(f"make one {kind}")
    target.ask(f"make two {kind}")
    assert live(target, name) == before + 2
    newest = sorted(
        read_table(target.ready["segment"]).live(name), key=lambda row: row.created_at_ticks
    )[-1]
    if kind not in BORN_UNSEEN:
        assert newest.created[0].startswith("shipped_steps.py:")
        assert newest.created_by == "MainThread"
    if closes:
        target.ask(f"close one {kind}")
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
