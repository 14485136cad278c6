from __future__ import annotations

import ctypes
from typing import Any

import bdkpython.bdk
import nostr_sdk.nostr_sdk
import pytest

from inspector.agent.adapters.uniffi.generation import (
    Generation,
    Shape,
    Unsupported,
    candidate_classes,
    is_generated,
    recognise,
)
from inspector.agent.adapters.uniffi.proxies import proxy_classes
from inspector.vocabulary import Kind
from inspector.wire.uniffi import BORROWED_POINTER, CLONED_HANDLE, CLONED_POINTER, MAP_KEY

CHECK = "def _uniffi_check_contract_api_version(lib):\n    bindings_contract_version = {}\n"
HANDLES = """
class Thing:
    def __init__(self): pass
    def __del__(self):
        handle = getattr(self, "_handle", None)
        if handle is not None:
            _uniffi_rust_call(_UniffiLib.uniffi_made_fn_free_thing, handle)
    def _uniffi_clone_handle(self): pass
    @classmethod
    def _uniffi_make_instance(cls, handle): pass
"""
POINTERS = (
    HANDLES.replace("_uniffi_clone_handle", "_uniffi_clone_pointer")
    .replace("_uniffi_make_instance", "_make_instance_")
    .replace('"_handle"', '"_pointer"')
)
BORROWED = POINTERS.replace("_uniffi_clone_pointer", "other").replace(
    "uniffi_made_fn_free_thing", "ffi_made_4a5b_Thing_object_free"
)
MAP_KEYS = """
class Thing(object):
    def __init__(self, start):
        self._handle = rust_call_with_error(InternalError, _UniFFILib.made_cf71_Thing_new, start)
    def __del__(self):
        rust_call_with_error(InternalError, _UniFFILib.ffi_made_cf71_Thing_object_free, self._handle)
"""
"""As UniFFI 0.11 wrote it."""


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


def shape_from(source: str) -> Shape:
    generation = recognise(module_of(source))
    assert isinstance(generation, Generation)
    return generation.shape


@pytest.mark.parametrize("contract", range(24, 30))
def test_pointers_with_an_explicit_clone_are_followed(contract: int) -> None:
    assert shape_from(CHECK.format(contract) + POINTERS) is CLONED_POINTER


@pytest.mark.parametrize("check", ["", CHECK.format(22), CHECK.format(24)])
def test_pointers_that_calls_borrow_are_followed(check: str) -> None:
    assert shape_from(check + BORROWED) is BORROWED_POINTER


def test_a_later_contract_is_followed_while_its_structure_stays() -> None:
    assert shape_from(CHECK.format(31) + HANDLES) is CLONED_HANDLE


def test_keys_of_a_map_inside_the_library_are_no_addresses() -> None:
    shape = shape_from(MAP_KEYS)

    assert shape is MAP_KEY
    assert not shape.is_address
    (found,) = proxy_classes(
        module_of(MAP_KEYS) | {"_UniffiLib": ctypes.CDLL(None)}, Generation(0, MAP_KEY)
    )
    assert (found.name, found.kind, found.clone) == ("Thing", Kind.UNIFFI, None)


def test_a_class_without_a_constructor_of_its_own_is_a_proxy_class() -> None:
    assert (
        shape_from(CHECK.format(24) + BORROWED.replace("    def __init__(self): pass\n", ""))
        is BORROWED_POINTER
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (CHECK.format(29) + BORROWED, "contract 29 is not known to keep its handles in _pointer"),
        (CHECK.format(30) + POINTERS, "contract 30 is not known to keep its handles in _pointer"),
        (CHECK.format(28) + HANDLES, "contract 28 is not known to keep its handles in _handle"),
        (HANDLES, "before contract numbers is not known to keep its handles in _handle"),
        (
            HANDLES.replace("_uniffi_make_instance", "_make"),
            ("built in a way that UniFFI before contract numbers is not known for"),
        ),
        (
            CHECK.format(30) + HANDLES + POINTERS.replace("Thing", "Other"),
            "built in a way that UniFFI contract 30 is not known for",
        ),
    ],
)
def test_a_generation_that_is_not_known_is_refused_with_the_reason(
    source: str, reason: str
) -> None:
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
        (
            bdkpython.bdk,
            {"FullScanScriptInspectorImpl", "PersistenceImpl", "SyncScriptInspectorImpl"},
        ),
        (nostr_sdk.nostr_sdk, {"NostrDatabaseImpl", "NostrSignerImpl", "PowAdapterImpl"}),
    ],
)
def test_traits_are_told_from_objects_by_the_librarys_metadata(
    module: Any, traits: set[str]
) -> None:
    generation = recognise(vars(module))
    assert isinstance(generation, Generation)
    found = {
        proxy_class.name: proxy_class.kind
        for proxy_class in proxy_classes(vars(module), generation)
    }

    assert traits <= {name for name, kind in found.items() if kind == Kind.UNIFFI_TRAIT}
    assert all(name.endswith("Impl") == (kind == Kind.UNIFFI_TRAIT) for name, kind in found.items())
