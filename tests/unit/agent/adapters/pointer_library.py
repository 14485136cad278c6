"""A generated module of the pointer generation (contracts 24 to 29), with a library made of
Python and real memory behind it.

Objects are ``Arc``s aligned to 64 bytes, traits are boxes that point to an ``Arc``, as in those
versions of UniFFI.
"""

from __future__ import annotations

import ctypes
from types import ModuleType
from typing import Any

SOURCE = """
import threading

def _uniffi_check_contract_api_version(lib):
    bindings_contract_version = 29

def _uniffi_rust_call(function, *args):
    return function(*args)

class _UniffiHandleMap:
    def __init__(self):
        self._map = {}
        self._lock = threading.Lock()
        self._counter = 0

    def insert(self, obj):
        with self._lock:
            handle = self._counter
            self._counter += 1
            self._map[handle] = obj
            return handle

    def get(self, handle):
        return self._map[handle]

    def remove(self, handle):
        with self._lock:
            return self._map.pop(handle)

    def __len__(self):
        return len(self._map)

class Thing:
    def __init__(self):
        self._pointer = _uniffi_rust_call(_UniffiLib.uniffi_made_fn_constructor_thing_new)

    def __del__(self):
        pointer = getattr(self, "_pointer", None)
        if pointer is not None:
            _uniffi_rust_call(_UniffiLib.uniffi_made_fn_free_thing, pointer)

    def _uniffi_clone_pointer(self):
        return _uniffi_rust_call(_UniffiLib.uniffi_made_fn_clone_thing, self._pointer)

    @classmethod
    def _make_instance_(cls, pointer):
        inst = cls.__new__(cls)
        inst._pointer = pointer
        return inst

class Store:
    pass

class StoreImpl(Store):
    def __init__(self):
        self._pointer = _uniffi_rust_call(_UniffiLib.uniffi_made_fn_constructor_store_new)

    def __del__(self):
        pointer = getattr(self, "_pointer", None)
        if pointer is not None:
            _uniffi_rust_call(_UniffiLib.uniffi_made_fn_free_store, pointer)

    def _uniffi_clone_pointer(self):
        return _uniffi_rust_call(_UniffiLib.uniffi_made_fn_clone_store, self._pointer)

    @classmethod
    def _make_instance_(cls, pointer):
        inst = cls.__new__(cls)
        inst._pointer = pointer
        return inst

class _UniffiConverterTypeStore:
    _handle_map = _UniffiHandleMap()

    @classmethod
    def lower(cls, value):
        return cls._handle_map.insert(value)
"""

ALIGNMENT = 64


class PointerLibrary(ctypes.CDLL):
    """The functions of the library.

    Without metadata symbols, as an interface of a UDL file has none.
    """

    def __init__(self) -> None:
        super().__init__(None)
        self.memory: dict[int, Any] = {}

    def counts(self, allocation: int) -> Any:
        """``{strong, weak}`` of an allocation."""
        return (ctypes.c_uint64 * 2).from_address(allocation)

    def _allocate(self) -> int:
        memory = ctypes.create_string_buffer(4 * ALIGNMENT)
        start = (ctypes.addressof(memory) + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        self.memory[start] = memory
        self.counts(start)[:] = [1, 1]
        return start

    def uniffi_made_fn_constructor_thing_new(self) -> int:
        return self._allocate() + ALIGNMENT

    def uniffi_made_fn_clone_thing(self, pointer: int) -> int:
        self.counts(pointer - ALIGNMENT)[0] += 1
        return pointer

    def uniffi_made_fn_free_thing(self, pointer: int) -> None:
        self.counts(pointer - ALIGNMENT)[0] -= 1

    def uniffi_made_fn_constructor_store_new(self) -> int:
        return self._box(self._allocate())

    def uniffi_made_fn_clone_store(self, pointer: int) -> int:
        inner = ctypes.c_uint64.from_address(pointer).value
        self.counts(inner)[0] += 1
        return self._box(inner)

    def uniffi_made_fn_free_store(self, pointer: int) -> None:
        self.counts(ctypes.c_uint64.from_address(pointer).value)[0] -= 1

    def _box(self, inner: int) -> int:
        box = (ctypes.c_uint64 * 2)(inner, 0)
        self.memory[ctypes.addressof(box)] = box
        return ctypes.addressof(box)


def made_module() -> ModuleType:
    """The module, loaded."""
    module = ModuleType("made")
    vars(module)["_UniffiLib"] = PointerLibrary()
    exec(SOURCE, vars(module))  # noqa: S102 - the text stands above
    return module
