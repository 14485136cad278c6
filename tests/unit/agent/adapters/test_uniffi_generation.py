from __future__ import annotations

from typing import Any

import bdkpython.bdk
import nostr_sdk.nostr_sdk
import pytest

from inspector.agent.adapters.uniffi.generation import Generation, Unsupported, candidate_classes, is_generated, recognise
from inspector.agent.adapters.uniffi.proxies import proxy_classes
from inspector.wire.schema import Kind

CHECK = "def _uniffi_check_contract_api_version(lib):\n    bindings_contract_version = {}\n"
HANDLES = """
class Thing:
    def __init__(self): pass
    def __del__(self): pass
    def _uniffi_clone_handle(self): pass
    @classmethod
    def _uniffi_make_instance(cls, handle): pass
"""
POINTERS = HANDLES.replace("_uniffi_clone_handle", "_uniffi_clone_pointer").replace("_uniffi_make_instance", "_make_instance_")
NO_CLONE = POINTERS.replace("_uniffi_clone_pointer", "other")


def module_of(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "generated", "_UniffiLib": object()}
    exec(source, namespace)  # noqa: S102 - the text stands above
    return namespace


@pytest.mark.parametrize("module", [bdkpython.bdk, nostr_sdk.nostr_sdk])
def test_the_generation_of_a_real_package_is_recognised(module: Any) -> None:
    generation = recognise(vars(module))

    assert isinstance(generation, Generation)
    assert generation.contract == 30
    assert generation.shape.handle_attribute == "_handle"


@pytest.mark.parametrize("contract", range(24, 30))
def test_pointers_with_an_explicit_clone_are_followed(contract: int) -> None:
    generation = recognise(module_of(CHECK.format(contract) + POINTERS))

    assert isinstance(generation, Generation)
    assert generation.shape.handle_attribute == "_pointer"
    assert not generation.shape.trait_is_counted


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (CHECK.format(31) + HANDLES, "contract 31 is not supported yet"),
        (CHECK.format(25) + NO_CLONE, "contract 25 without _uniffi_clone_pointer is not supported yet"),
        (CHECK.format(30) + POINTERS, "contract 30 without _uniffi_clone_handle is not supported yet"),
        (HANDLES, "names no contract version"),
    ],
)
def test_a_generation_that_is_not_known_is_refused_with_the_reason(source: str, reason: str) -> None:
    answer = recognise(module_of(source))

    assert isinstance(answer, Unsupported)
    assert reason in answer.reason


def test_a_module_without_the_library_variable_is_not_generated() -> None:
    assert not is_generated({"__name__": "generated", "_lib": object()})
    assert is_generated({"_UniFFILib": object()})


def test_classes_imported_from_another_generated_module_belong_to_that_one() -> None:
    namespace = module_of(CHECK.format(30) + HANDLES)
    namespace["Mnemonic"] = bdkpython.bdk.Mnemonic

    assert [cls.__name__ for cls in candidate_classes(namespace)] == ["Thing"]


@pytest.mark.parametrize(
    ("module", "traits"),
    [
        (bdkpython.bdk, {"FullScanScriptInspectorImpl", "PersistenceImpl", "SyncScriptInspectorImpl"}),
        (nostr_sdk.nostr_sdk, {"NostrDatabaseImpl", "NostrSignerImpl", "PowAdapterImpl"}),
    ],
)
def test_traits_are_told_from_objects_by_the_librarys_metadata(module: Any, traits: set[str]) -> None:
    generation = recognise(vars(module))
    assert isinstance(generation, Generation)
    found = {proxy_class.name: proxy_class.kind for proxy_class in proxy_classes(vars(module), generation)}

    assert traits <= {name for name, kind in found.items() if kind == Kind.UNIFFI_TRAIT}
    assert all(name.endswith("Impl") == (kind == Kind.UNIFFI_TRAIT) for name, kind in found.items())
