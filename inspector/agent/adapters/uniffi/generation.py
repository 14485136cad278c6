"""The generation of UniFFI that wrote a module, known by its structure.

The meaning of a handle changed with the generation, so a wrong guess would show wrong counts. Each
generation builds its proxies in its own way, and is known by that, not by a package's name or
version. The contract number must not contradict it.

=============== =========== ===================== =========================================
=============================
UniFFI          contract    attribute             object                                    Rust-implemented trait
=============== =========== ===================== =========================================
=============================
0.30 and later  30 …        ``_handle`` (u64)     ``Arc::into_raw``, explicit clone         ``Arc<Arc<dyn T>>``
0.26 … 0.29     25 … 29     ``_pointer``          ``Arc::into_raw``, explicit clone         ``Box<Arc<dyn T>>``
0.12 … 0.25     … 24        ``_pointer``          ``Arc::into_raw``, calls borrow           ``Box<Arc<dyn T>>``
… 0.11          none        ``_handle``           key of a map inside the library,          none
                                                  made by constructors alone ===============
                                                  =========== =====================
                                                  =========================================
                                                  =============================

Reads names and constants of code objects; calls nothing of the module. Any thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, Final, NamedTuple

from inspector.wire.uniffi import LIBRARY_NAMES, SHAPES, Shape, is_free_name

CONTRACT_CHECKS: Final = ("_uniffi_check_contract_api_version", "uniffi_check_contract_api_version")
CONTRACT_VARIABLE: Final = "bindings_contract_version"
NEWEST_KNOWN: Final = 30
"""Of later contracts the objects are followed, their counts only where the library's own clone
proves the layout."""


class Generation(NamedTuple):
    """The generation of one module."""

    contract: int
    """0: the module names none (before UniFFI 0.23)."""
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
    contract = contract_of(namespace) or 0
    shapes = {shape_of(cls) for cls in candidate_classes(namespace)}
    if None in shapes or len(shapes) > 1:
        return Unsupported(
            f"its classes are built in a way that UniFFI {_named(contract)} is not known for"
        )
    shape = shapes.pop() if shapes else _usual_shape(contract)
    if shape is not None and contract in shape.contracts:
        return Generation(contract, shape)
    built = shape.handle_attribute if shape is not None else "no known"
    return Unsupported(f"UniFFI {_named(contract)} is not known to keep its handles in {built}")


def contract_of(namespace: Mapping[str, Any]) -> int | None:
    """The contract number that the module was generated for, ``None`` when it names none."""
    for name in CONTRACT_CHECKS:
        check = namespace.get(name)
        if isinstance(check, FunctionType) and CONTRACT_VARIABLE in check.__code__.co_varnames:
            numbers = [constant for constant in check.__code__.co_consts if type(constant) is int]
            return numbers[0] if numbers else None
    return None


def candidate_classes(namespace: Mapping[str, Any]) -> Iterator[type]:
    """Classes of the module that release a handle or are made from it, of any generation."""
    seen: set[type] = set()
    home = namespace.get("__name__")
    for value in list(namespace.values()):
        if not isinstance(value, type) or value.__module__ != home or value in seen:
            continue
        seen.add(value)
        if free_name_of(value) is not None or any(
            shape.make_name in vars(value) for shape in SHAPES
        ):
            yield value


def shape_of(cls: type) -> Shape | None:
    """How the class itself (not a base) is built; ``None``: in no known way."""
    own = vars(cls)
    finaliser = finaliser_of(cls)
    for shape in SHAPES:
        makes = shape.make_name is None or isinstance(own.get(shape.make_name), classmethod)
        keeps = finaliser is not None and shape.handle_attribute in _attribute_names(
            finaliser.__code__, shape
        )
        if (
            keeps
            and makes
            and free_name_of(cls)
            and (shape.clone_name is None or isinstance(own.get(shape.clone_name), FunctionType))
        ):
            return shape
    return None


def _attribute_names(finaliser: CodeType, shape: Shape) -> tuple[object, ...]:
    """Names in a finaliser that may be the handle's attribute."""
    return finaliser.co_consts if shape.make_name is not None else finaliser.co_names


def free_name_of(cls: type) -> str | None:
    """The library's function that releases handles of the class.

    ``None`` when its finaliser names none.
    """
    finaliser = finaliser_of(cls)
    names = finaliser.__code__.co_names if finaliser is not None else ()
    return next((name for name in names if is_free_name(name)), None)


def finaliser_of(cls: type) -> FunctionType | None:
    """The class's own generated finaliser, also while a hook replaces it."""
    finaliser = vars(cls).get("__del__")
    while wrapped := getattr(finaliser, "__wrapped__", None):
        finaliser = wrapped
    return finaliser if isinstance(finaliser, FunctionType) else None


def _usual_shape(contract: int) -> Shape | None:
    """The shape that a module without classes would have."""
    return next((shape for shape in SHAPES if contract in shape.contracts), None)


def _named(contract: int) -> str:
    """A contract for people."""
    return f"contract {contract}" if contract else "before contract numbers"
