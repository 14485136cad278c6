"""Names in UniFFI's generated Python, for the agent and for a look from outside.

Pure constants.
"""

from __future__ import annotations

from typing import Final, NamedTuple

LIBRARY_NAMES: Final = ("_UniffiLib", "_UniFFILib")
"""What generated code calls the loaded library; the second up to UniFFI 0.24."""
FREE_MARKS: Final = ("_fn_free_", "_object_free")
"""The library's function that releases a handle has the first in its name, or the second at its
end."""
HANDLE_MAP: Final = "_handle_map"
"""Attribute of a class that leads to a map of Python objects which Rust holds: one a trait, or one
for all callback interfaces."""
ENTRIES: Final = ("_map", "_left_map")
"""Where a map keeps its entries by handle; the second up to UniFFI 0.26."""
FUTURES: Final = ("_UNIFFI_FOREIGN_FUTURE_HANDLE_MAP", "UNIFFI_FOREIGN_FUTURE_HANDLE_MAP")
"""The map of tasks that Rust awaits; the second in UniFFI 0.27."""
CALLED: Final = "uniffi_obj"
"""The Python object in a generated callback."""
MAKE_CALL: Final = "make_call"
"""The function in a generated callback that calls the Python object."""
CALL_NAME: Final = "_uniffi_rust_call_async"
"""The coroutine function of asynchronous calls; its first argument is the future's handle."""
SYNCHRONOUS_TRAIT_CALLS: Final = (
    "_uniffi_trait_interface_call",
    "_uniffi_trait_interface_call_with_error",
)
ASYNCHRONOUS_TRAIT_CALLS: Final = tuple(
    f"{mark}uniffi_trait_interface_call_async{end}"
    for mark in ("_", "")
    for end in ("", "_with_error")
)
"""Functions that call the method of a Python object for the library; without the mark in UniFFI
0.27."""
UNEXPECTED_ERROR: Final = 2
"""The code of a call's status when the method raised what its interface does not declare."""
SYNCHRONOUS_CALLS: Final = ("_uniffi_rust_call", "_rust_call", "rust_call")
"""Functions that generated methods call the library through, newest first."""
LIBRARY_CALLS: Final = tuple(f"{name}_with_error" for name in SYNCHRONOUS_CALLS)
"""The functions below these, which call the library itself."""
CALL_STATUS: Final = "call_status"
"""The local of such a function that lives as long as the call."""
FINALISER: Final = "__del__"
TRAIT_METADATA: Final = frozenset({12, 13})
"""First byte of an interface's metadata symbol: 4 object, 12 trait, 13 trait that Python can
implement (``uniffi_meta::codes``)."""
MOST_WEAK: Final = 16
MOST_STRONG: Final = 1 << 20
"""Larger numbers are not taken for counts where only their look tells."""
SMALL: Final = 16
"""Alignments up to this many bytes have the counts right before the data."""


class Shape(NamedTuple):
    """How the proxies of a generation are built."""

    contracts: range
    """Contract numbers that agree with it; 0 stands for a module that names none."""
    handle_attribute: str
    """The attribute in which a proxy keeps its handle."""
    make_name: str | None
    """The classmethod that every lift passes through; ``None`` where objects are made by their
    constructor alone."""
    clone_name: str | None
    """The method that counts up and returns a handle for Rust; ``None`` where calls borrow
    instead."""
    trait_is_counted: bool
    """A trait's handle is itself an ``Arc``; otherwise it is a ``Box``."""
    is_address: bool = True
    """The handle is where the object lies; otherwise the library keeps the object elsewhere and its
    counts are not to be had."""


CLONED_HANDLE: Final = Shape(
    range(30, 1000),
    "_handle",
    "_uniffi_make_instance",
    "_uniffi_clone_handle",
    trait_is_counted=True,
)
CLONED_POINTER: Final = Shape(
    range(24, 30), "_pointer", "_make_instance_", "_uniffi_clone_pointer", trait_is_counted=False
)
BORROWED_POINTER: Final = Shape(
    range(26), "_pointer", "_make_instance_", None, trait_is_counted=False
)
MAP_KEY: Final = Shape(range(1), "_handle", None, None, trait_is_counted=False, is_address=False)
SHAPES: Final = (CLONED_HANDLE, CLONED_POINTER, BORROWED_POINTER, MAP_KEY)
"""The first that fits a class is its shape."""


def metadata_symbol(free_name: str) -> str:
    """The symbol that describes an interface, by the function that releases its handles."""
    crate, _, interface = free_name.removeprefix("uniffi_").partition("_fn_free_")
    return f"UNIFFI_META_{crate}_INTERFACE_{interface}".upper()


def is_free_name(name: str) -> bool:
    """Whether a function of the library releases handles, by its name."""
    return FREE_MARKS[0] in name or name.endswith(FREE_MARKS[1])
