from __future__ import annotations

import importlib
import mmap
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from inspector.agent.adapters.imports import ImportWatch
from tests.unit.agent.adapters.conftest import NAME


@pytest.fixture
def imported() -> Iterator[list[ModuleType]]:
    modules: list[ModuleType] = []
    watch = ImportWatch(modules.append)
    watch.set()
    yield modules
    watch.undo()
    assert watch not in sys.meta_path


def test_an_extension_is_reported_too_and_to_every_watch(imported: list[ModuleType]) -> None:
    again: list[ModuleType] = []
    second = ImportWatch(again.append)
    second.set()
    module = importlib.reload(mmap)
    second.undo()
    assert imported == again == [module]


def test_a_module_is_reported_when_its_body_has_run(
    importable: Path, imported: list[ModuleType]
) -> None:
    importable.write_text("value = 7\n")
    module = importlib.import_module(NAME)

    assert imported == [module]
    assert "exec_module" not in vars(module.__loader__)  # type: ignore[arg-type]
    assert module.__spec__ is not None
    assert module.__spec__.loader is module.__loader__


def test_reloading_works_as_before(importable: Path, imported: list[ModuleType]) -> None:
    importable.write_text("value = 7\n")
    module = importlib.import_module(NAME)
    importable.write_text("value = 8000\n")
    importlib.reload(module)

    assert module.value == 8000


def test_an_import_that_fails_fails_the_same_way(
    importable: Path, imported: list[ModuleType]
) -> None:
    importable.write_text("raise LookupError('mine')\n")
    with pytest.raises(LookupError, match="mine"):
        importlib.import_module(NAME)

    assert imported == []
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module_anywhere")
