"""Rules for every test: no display, segments in a folder of its own, and zero live handles left."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.helpers.bytecode import keep_bytecode

os.environ["QT_QPA_PLATFORM"] = "offscreen"
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell ignores it in background jobs, and every program of a test would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
# a loaded machine makes no example wrong; pytest's own timeout ends a hang
settings.register_profile("arc-inspector", deadline=None)
settings.register_profile("long", deadline=None, max_examples=1000)  # ./dev soak
settings.load_profile("arc-inspector")
# modules and collected tests stay: the collector need not walk them again and again
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    """The first process of the run compiles what the programs of tests import."""
    if not hasattr(config, "workerinput"):
        keep_bytecode()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Collections of garbage, which many tests ask for, walk the objects of the tests alone."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def segments_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Targets of tests, and files of killed targets, stay out of the machine's list of processes.

    In shared memory where there is some, as in use.
    """
    shared = Path("/dev/shm")  # noqa: S108 the place itself is what is asked for
    with tempfile.TemporaryDirectory(
        prefix="arc-test-", dir=shared if shared.is_dir() else None
    ) as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@pytest.fixture(autouse=True)
def width_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are as wide as a test asks for, on every terminal that runs the tests."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True)
def zero_live_handles_left() -> Iterator[None]:
    """Handles that a test made in this process are released when it ends."""
    before = _live_handles()
    yield
    if _live_handles() != before:
        gc.collect()
    assert _live_handles() == before, "the test left live handles behind"


def _live_handles() -> int:
    native: Any = sys.modules.get("inspector._native")
    return 0 if native is None else int(native.lib.ai_live_handles())
