"""A target over traits that Rust implements.

Their handles are made, shared, lowered again, leaked and dropped by steps.

Arguments: ``nostr``, whose traits lie in an ``Arc`` (contract 30, an unmodified package), or
``made``, whose traits lie in a box (contract 29, a library of the tests, since no package of that
generation gives such a trait out); then ``none`` to start the agent by a step.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
import threading
from typing import Any

from stepping import serve

from inspector import agent

KEPT: dict[str, Any] = {}
"""What the program holds, by name."""
LEAKED: list[tuple[type, int]] = []
CALLERS = 4


class Nostr:
    """A client's database."""

    def __init__(self) -> None:
        self._package = importlib.import_module("nostr_sdk")
        KEPT["client"] = self._package.ClientBuilder().build()

    def trait(self) -> Any:
        return KEPT["client"].database()

    def holder(self, trait: Any) -> Any:
        """An object of Rust that holds the database from now on."""
        return self._package.ClientBuilder().database(trait)


class Made:
    """A store."""

    def __init__(self) -> None:
        pointer_library = importlib.import_module("tests.unit.agent.adapters.pointer_library")
        self._module = sys.modules["made"] = pointer_library.made_module()

    def trait(self) -> Any:
        return self._module.StoreImpl()


FAMILIES = {"nostr": Nostr, "made": Made}


def clone_of(proxy: Any) -> int:
    """The clone that a call takes for itself, without the call."""
    handle: int = (getattr(proxy, "_uniffi_clone_handle", None) or proxy._uniffi_clone_pointer)()
    return handle


def made_from(cls: Any, handle: int) -> Any:
    """A proxy made as the library makes it."""
    return (getattr(cls, "_uniffi_make_instance", None) or cls._make_instance_)(handle)


def share(name: str, of: str) -> None:
    """A second proxy from a clone of the first one's handle."""
    KEPT[name] = made_from(type(KEPT[of]), clone_of(KEPT[of]))


def lower_again(name: str, of: str) -> None:
    """A second proxy, as from a function: ``Arc::new(Arc::clone(inner))``.

    In memory that the library frees: Rust's allocator is the system's.
    """
    pair = (ctypes.c_uint64 * 2).from_address(KEPT[of]._handle)
    ctypes.c_uint64.from_address(pair[0]).value += 1
    allocate = ctypes.CDLL(None).malloc
    allocate.restype, allocate.argtypes = ctypes.c_uint64, (ctypes.c_size_t,)
    outer = allocate(32)
    (ctypes.c_uint64 * 4).from_address(outer)[:] = (1, 1, *pair)
    KEPT[name] = made_from(type(KEPT[of]), outer + 16)


def leak_clones(name: str, times: str) -> None:
    LEAKED.extend((type(KEPT[name]), clone_of(KEPT[name])) for _ in range(int(times)))


def return_clones() -> None:
    while LEAKED:
        made_from(*LEAKED.pop())


def call(name: str) -> None:
    """Threads call a method of it without end, until ``rest``."""
    stop = KEPT["stop"] = threading.Event()

    def calls(trait: Any) -> None:
        while not stop.is_set():
            trait.features()

    KEPT["callers"] = [threading.Thread(target=calls, args=(KEPT[name],)) for _ in range(CALLERS)]
    for thread in KEPT["callers"]:
        thread.start()


def rest() -> None:
    KEPT.pop("stop").set()
    for thread in KEPT.pop("callers"):
        thread.join()


def drop(name: str) -> None:
    del KEPT[name]


def main() -> None:
    family = FAMILIES[sys.argv[1]]()

    def trait(name: str) -> str:
        """Answers the class."""
        KEPT[name] = family.trait()
        return type(KEPT[name]).__name__

    def hold(name: str, of: str) -> None:
        KEPT[name] = family.holder(KEPT[of])

    steps = (trait, hold, share, lower_again, leak_clones, return_clones, call, rest, drop)
    serve(
        {step.__name__: step for step in steps} | {"start": agent.start, "stop": agent.stop},
        segment=agent.start("history") if "none" not in sys.argv else "",
    )


if __name__ == "__main__":
    main()
