from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.agent.adapters.uniffi.modules import ModuleFinder
from inspector.errors import InspectorError
from tests.unit.agent.adapters.conftest import NAME
from tests.unit.agent.adapters.table_recorder import TableRecorder


def test_a_module_whose_body_still_runs_is_not_claimed(importable: Path) -> None:
    importable.write_text(
        "import sys\n_UniffiLib = None\n"
        "from inspector.agent.adapters.imports import is_importing\n"
        "while_running = is_importing(sys.modules[__name__])\n"
    )
    module = importlib.import_module(NAME)

    assert module.while_running
    assert [found.__name__ for found in ModuleFinder().unseen() if found is module] == [NAME]


def test_a_module_is_claimed_once(importable: Path) -> None:
    importable.write_text("_UniffiLib = None\n")
    module = importlib.import_module(NAME)
    finder = ModuleFinder()

    assert finder.claim(NAME, module)
    assert not finder.claim(NAME, module)
    assert module not in list(finder.unseen())


def test_a_module_under_another_name_is_not_claimed_twice(
    importable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importable.write_text("_UniffiLib = None\n")
    module = importlib.import_module(NAME)
    monkeypatch.setitem(sys.modules, "alias_of_it", module)

    assert [found.__name__ for found in ModuleFinder().unseen() if found is module] == [NAME]


def test_a_generation_that_is_not_supported_is_named_once_and_left_alone(
    importable: Path, recorder: TableRecorder
) -> None:
    importable.write_text(
        "_UniffiLib = None\n"
        "def _uniffi_check_contract_api_version(lib):\n    bindings_contract_version = 99\n"
        "class Thing:\n    @classmethod\n    def _uniffi_make_instance(cls, handle): pass\n"
    )
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    try:
        module = importlib.import_module(NAME)
        with pytest.raises(
            InspectorError,
            match=(f"{NAME} is not followed: .* UniFFI contract 99 is not known for"),
        ):
            adapter.poll()
        adapter.poll()
        assert "__init__" not in vars(module.Thing)
    finally:
        adapter.detach()
