"""An attached adapter over a table that is read back.

Taken off again after each test, with nothing left behind.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bdkpython.bdk
import nostr_sdk.nostr_sdk
import pytest

from inspector import agent
from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.agent.agent import segment_path
from inspector.vocabulary import Reference
from inspector.wire import lib
from tests.unit.agent.adapters import wrapped
from tests.unit.agent.adapters.following import Follower
from tests.unit.agent.adapters.table_recorder import TableRecorder

NAME = "imported_while_watched"
"""The module that a test writes and imports."""


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / f"{NAME}.py"
    sys.modules.pop(NAME, None)


@pytest.fixture(scope="session")
def segment_folder() -> Iterator[str]:
    """One for all, on the file system of every other.

    This process has one segment for life, whose file cannot leave it.
    """
    shared = Path("/dev/shm")  # noqa: S108 the place itself is what is asked for
    with tempfile.TemporaryDirectory(
        prefix="arc-test-", dir=shared if shared.is_dir() else None
    ) as folder:
        yield folder


@pytest.fixture
def small_heap() -> Iterator[None]:
    """A look or a scan walks the objects of this test, and not all objects of the tests before."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@pytest.fixture
def recorder(segment_folder: str) -> Iterator[TableRecorder]:
    before = lib.ai_level()
    yield TableRecorder(agent.start("count", adapters=(), directory=segment_folder))
    agent.stop()
    lib.ai_set_level(before)


@pytest.fixture
def adapter(recorder: TableRecorder) -> Iterator[UniffiAdapter]:
    finders = list(sys.meta_path)
    attributes = generated_attributes()
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    yield adapter
    adapter.detach()
    gc.collect()
    assert sys.meta_path == finders
    assert generated_attributes() == attributes
    assert not [row for row in recorder.rows.values() if row.state == Reference.LIVE]


def generated_attributes() -> dict[tuple[str, str], dict[str, int]]:
    """Identity of every attribute of every class of the packages, without ``copyreg``'s cache."""
    return {
        (module.__name__, name): {
            key: id(own) for key, own in vars(value).items() if key != "__slotnames__"
        }
        for module in (bdkpython.bdk, nostr_sdk.nostr_sdk)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }


@pytest.fixture
def unchanged_classes() -> Iterator[None]:
    """The wrapped classes and the import system are as before once the adapters have left."""
    owners = [value for value in vars(wrapped).values() if isinstance(value, type)]
    before = [(owner, dict(vars(owner))) for owner in owners] + [(wrapped, dict(vars(wrapped)))]
    finders = list(sys.meta_path)
    checks = [wrapped.LIBC.malloc.errcheck, wrapped.LIBC.free.errcheck]
    yield
    for owner, attributes in before:
        assert {name: id(value) for name, value in vars(owner).items()} == {
            name: id(value) for name, value in attributes.items()
        }
    assert sys.meta_path == finders
    assert [wrapped.LIBC.malloc.errcheck, wrapped.LIBC.free.errcheck] == checks


@pytest.fixture
def follower(recorder: TableRecorder) -> Iterator[Follower]:
    """Follows declarations over the recorder; at the end no row is alive."""
    follower = Follower(segment_path())
    yield follower
    for adapter in follower.adapters:
        adapter.detach()
    gc.collect()
    assert not [row for row in follower.recorder.rows.values() if row.state == Reference.LIVE]
