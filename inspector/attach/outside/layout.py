"""The memory layout of CPython by minor version.

It covers finding instances and attributes.

Numbers are offsets in bytes on 64-bit systems, with the interpreter's lock. They are fixed within a
minor version; a test compares them with each interpreter that can be had.

=========== ============================== =================================
=========================
version     attributes of an instance      keys of a dict                    text begins at, number's size
=========== ============================== =================================
=========================
3.8 – 3.10  dict at ``tp_dictoffset``      size and entries as words         48, sign and digits
3.11        values at −32, dict at −24     logarithms and entries            48, sign and digits
3.12        values (tagged) or dict at −24 logarithms and entries            40, tag
3.13 – 3.14 values behind the object       logarithms and entries            40, tag
=========== ============================== =================================
=========================

Pure; any thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

OLDEST: Final = (3, 8)
NEWEST: Final = (3, 14)

TYPE_BYTES: Final = 896
"""Of a class made by Python code, as much as is read."""
TYPE_NAME: Final = 24
TYPE_BASIC_SIZE: Final = 32
TYPE_ITEM_SIZE: Final = 40
TYPE_DEALLOC: Final = 48
TYPE_FLAGS: Final = 168
TYPE_BASE: Final = 256
TYPE_DICT: Final = 264
TYPE_DICT_OFFSET: Final = 288
TYPE_ORDER: Final = 344
"""``tp_mro``, a tuple."""
TUPLE_SIZE: Final = 16

IS_INLINE: Final = 1 << 2
IS_MANAGED: Final = 1 << 4
IS_HEAP_TYPE: Final = 1 << 9
IS_READY: Final = 1 << 12
IS_COLLECTED: Final = 1 << 14
"""The collector knows the instances."""
IS_TYPE_OF_TYPES: Final = 1 << 31

DICT_KEYS: Final = 32
DICT_VALUES: Final = 40
DICT_BYTES: Final = 48

KEYS_HEAD_BYTES: Final = 40

TEXT_LENGTH: Final = 16
NUMBER_SIZE: Final = 16
NUMBER_DIGITS: Final = 24
DIGIT_BITS: Final = 30

LINKS_BYTES: Final = 16
"""The collector's two links, right before an object."""
LINK_FLAGS: Final = 3


class Attributes(Enum):
    """How an instance keeps its attributes."""

    OWN_DICT = auto()
    VALUES_POINTER = auto()
    TAGGED_POINTER = auto()
    INLINE = auto()


@dataclass(frozen=True, slots=True)
class Layout:
    """The differences between minor versions."""

    attributes: Attributes
    text: int
    """First byte of a text that is ASCII."""
    is_tagged: bool
    """Numbers keep digits and sign in a tag, else as a signed count."""
    has_wide_keys: bool
    """Keys of a dict have their sizes as words."""
    cached_keys: int
    """``ht_cached_keys`` of a class; 0: instances share no keys."""
    qualified_name: int
    """``ht_qualname`` of a class."""
    function_code: int
    function_globals: int
    function_dict: int
    code_names: int
    values: int
    """First of the values that instances or split dicts keep apart."""
    coroutine_frame: int = 0
    """0: not known, pending calls are not looked for."""
    frame_code: int = 0
    frame_locals: int = 72
    tuple_items: int = 24
    """First item of a tuple; 3.14 has its hash before."""
    pool_bytes: int = 16 << 10
    """Size of a pool of the interpreter's own allocator for small objects."""


LAYOUTS: Final = {
    (3, 8): Layout(
        Attributes.OWN_DICT, 48, False, True, 0, 864, 16, 24, 72, 64, 0, pool_bytes=4 << 10
    ),
    (3, 9): Layout(
        Attributes.OWN_DICT, 48, False, True, 0, 856, 16, 24, 72, 64, 0, pool_bytes=4 << 10
    ),
    (3, 10): Layout(Attributes.OWN_DICT, 48, False, True, 0, 864, 48, 16, 88, 64, 0),
    (3, 11): Layout(
        Attributes.VALUES_POINTER, 48, False, False, 872, 864, 48, 16, 88, 32, 0, 80, 32
    ),
    (3, 12): Layout(Attributes.TAGGED_POINTER, 40, True, False, 880, 872, 48, 16, 88, 32, 0, 72, 0),
    (3, 13): Layout(Attributes.INLINE, 40, True, False, 880, 872, 48, 16, 88, 32, 8, 72, 0),
    (3, 14): Layout(Attributes.INLINE, 40, True, False, 880, 872, 48, 16, 88, 32, 8, 72, 0, 80, 32),
}
