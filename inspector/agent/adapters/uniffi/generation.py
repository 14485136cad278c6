"""Which generation of UniFFI wrote a module, told by its structure.

What a handle is changed with the generation, so a wrong guess would show wrong counts: a module is followed only when
contract number and structure agree with a row of the table below; every other is named with the reason.

============ ===================== ========================================= ==========================
contract     attribute             object                                    Rust-implemented trait
============ ===================== ========================================= ==========================
30           ``_handle`` (u64)     ``Arc::into_raw``                         ``Arc<Arc<dyn T>>``
24 … 29      ``_pointer``          ``Arc::into_raw``, explicit clone (0.26)  ``Box<Arc<dyn T>>``
============ ===================== ========================================= ==========================

Reads names and constants of code objects; calls nothing of the module. Any thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any, Final, NamedTuple

LIBRARY_NAMES: Final = ("_UniffiLib", "_UniFFILib")
"""What generated code calls the loaded library; the second up to UniFFI 0.24."""
CONTRACT_CHECKS: Final = ("_uniffi_check_contract_api_version", "uniffi_check_contract_api_version")
CONTRACT_VARIABLE: Final = "bindings_contract_version"


class Shape(NamedTuple):
    """How the proxies of a generation are built."""

    contracts: range
    handle_attribute: str
    """Where a proxy keeps its handle."""
    make_name: str
    """The classmethod that every lift passes through."""
    clone_name: str
    """The method that counts up and returns a handle for Rust."""
    trait_is_counted: bool
    """A trait's handle is itself an ``Arc``; otherwise it is a ``Box``."""


SHAPES: Final = (
    Shape(range(30, 31), "_handle", "_uniffi_make_instance", "_uniffi_clone_handle", trait_is_counted=True),
    Shape(range(24, 30), "_pointer", "_make_instance_", "_uniffi_clone_pointer", trait_is_counted=False),
)


class Generation(NamedTuple):
    """The generation of one module."""

    contract: int
    shape: Shape


class Unsupported(NamedTuple):
    """A module that UniFFI wrote and that is not followed."""

    reason: str
    """A sentence without a full stop."""


def is_generated(namespace: Mapping[str, Any]) -> bool:
    """Whether UniFFI wrote the module with these globals."""
    return any(name in namespace for name in LIBRARY_NAMES)


def recognise(namespace: Mapping[str, Any]) -> Generation | Unsupported:
    """The generation of a generated module, or why it is not followed."""
    contract = contract_of(namespace)
    if contract is None:
        return Unsupported("UniFFI before 0.24 is not supported yet: the module names no contract version")
    fitting = [shape for shape in SHAPES if contract in shape.contracts]
    if not fitting:
        return Unsupported(f"UniFFI contract {contract} is not supported yet")
    shape = fitting[0]
    if all(is_proxy_class(cls, shape) for cls in candidate_classes(namespace)):
        return Generation(contract, shape)
    return Unsupported(f"UniFFI contract {contract} without {shape.clone_name} is not supported yet")


def contract_of(namespace: Mapping[str, Any]) -> int | None:
    """The contract number that the module was generated for, ``None`` when it names none."""
    for name in CONTRACT_CHECKS:
        check = namespace.get(name)
        if isinstance(check, FunctionType) and CONTRACT_VARIABLE in check.__code__.co_varnames:
            numbers = [constant for constant in check.__code__.co_consts if type(constant) is int]
            return numbers[0] if numbers else None
    return None


def candidate_classes(namespace: Mapping[str, Any]) -> Iterator[type]:
    """Classes that the module itself defines and that make instances from handles, of whatever generation."""
    seen: set[type] = set()
    home = namespace.get("__name__")
    for value in list(namespace.values()):
        if not isinstance(value, type) or value.__module__ != home or value in seen:
            continue
        seen.add(value)
        if any(shape.make_name in vars(value) for shape in SHAPES):
            yield value


def is_proxy_class(cls: type, shape: Shape) -> bool:
    """Whether the class itself (not a base) is built in this shape."""
    own = vars(cls)
    return isinstance(own.get(shape.make_name), classmethod) and all(
        isinstance(own.get(name), FunctionType) for name in (shape.clone_name, "__init__", "__del__")
    )
