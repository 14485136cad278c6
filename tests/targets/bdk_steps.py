"""A target over an unmodified bdkpython: makes, shares, copies and drops its objects by steps.

Arguments: ``early`` makes two amounts before the agent starts; ``late`` does not import the package
until ``load``. Every object has a name; ``drop NAME`` releases it.
"""

from __future__ import annotations

import copy
import importlib
import sys
import threading
import weakref
from typing import Any

from stepping import serve

from inspector import agent

KEPT: dict[str, Any] = {}
"""What the program holds, by name."""
CACHE: list[Any] = []
"""The leak: nothing ever takes anything out."""
KNOTS: list[weakref.ref[Any]] = []
STORM: list[threading.Thread] = []
QUIET = threading.Event()
SAVERS: list[threading.Thread] = []
SAVING, LET_GO = threading.Event(), threading.Event()


def bdk() -> Any:
    return importlib.import_module("bdkpython")


def generated() -> Any:
    return importlib.import_module("bdkpython.bdk")


def amount(name: str, sats: str) -> None:
    KEPT[name] = bdk().Amount.from_sat(int(sats))


def mnemonic(name: str) -> None:
    KEPT[name] = bdk().Mnemonic(bdk().WordCount.WORDS12)


def share(name: str, of: str) -> None:
    """A second proxy made as the library makes it, with a count of its own."""
    proxy = KEPT[of]
    KEPT[name] = type(proxy)._uniffi_make_instance(proxy._uniffi_clone_handle())


def duplicate(name: str, of: str) -> None:
    """A second proxy that shares the first one's count: a double free to come."""
    KEPT[name] = copy.copy(KEPT[of])


def disarm(name: str) -> None:
    """Keep a duplicate from releasing a reference that it does not own."""
    KEPT[name]._handle = None


def fail_to_lower(name: str, times: str) -> int:
    """Calls whose argument cannot be lowered: the clone for ``self`` is never released."""
    failed = 0
    for _ in range(int(times)):
        try:
            KEPT[name].sighash("\ud800")
        except UnicodeEncodeError:
            failed += 1
    return failed


def builder(name: str) -> None:
    KEPT[name] = bdk().TxBuilder()


def on_thread(name: str, thread_name: str) -> None:
    """Make an amount on a thread of that name."""
    thread = threading.Thread(target=amount, args=(name, "1"), name=thread_name)
    thread.start()
    thread.join()


def own(name: str) -> None:
    """An instance of a class that the program derived."""

    class Secret(bdk().Mnemonic):  # type: ignore[misc]
        def __init__(self, note: str) -> None:
            super().__init__(bdk().WordCount.WORDS12)
            self.note = note

    KEPT[name] = Secret("mine")


def remember(sats: int) -> None:
    """The place to be found."""
    CACHE.append(bdk().Amount.from_sat(sats))


def leak(times: str) -> None:
    for sats in range(int(times)):
        remember(sats)


def many(times: str) -> int:
    CACHE.extend([bdk().Amount.from_sat(1) for _ in range(int(times))])
    return len(CACHE)


def forget() -> None:
    CACHE.clear()


def persister(name: str) -> None:
    """A Python object that Rust holds, behind an object of Rust."""

    class Memory(bdk().Persistence):  # type: ignore[misc]
        def initialize(self) -> Any:
            return bdk().ChangeSet()

        def persist(self, changeset: Any) -> None:
            pass

    KEPT[name] = bdk().Persister.custom(Memory())


def knot(name: str) -> None:
    """A cycle across the boundary: the Python object that Rust holds keeps the Rust object's proxy.

    Nothing else does.
    """

    class Keeper(bdk().Persistence):  # type: ignore[misc]
        def initialize(self) -> Any:
            return bdk().ChangeSet()

        def persist(self, changeset: Any) -> None:
            pass

    keeper = Keeper()
    keeper.persister = bdk().Persister.custom(keeper)
    KNOTS.append(weakref.ref(keeper))


def untie() -> None:
    """Cut the cycles."""
    while KNOTS:
        keeper = KNOTS.pop()()
        if keeper is not None:
            keeper.persister = None


def storm(threads: str, times: str) -> None:
    """Start threads that make, share and drop; ``calm`` waits for them."""

    def blow() -> None:
        for sats in range(int(times)):
            proxy = bdk().Amount.from_sat(sats)
            shared = bdk().Amount._uniffi_make_instance(proxy._uniffi_clone_handle())
            proxy.to_sat()
            del proxy, shared

    STORM.extend(threading.Thread(target=blow) for _ in range(int(threads)))
    for thread in STORM:
        thread.start()


def calm() -> None:
    while STORM:
        STORM.pop().join()


def call(name: str, times: str) -> None:
    """So many calls of a method; each clones the handle, and the library consumes the clone."""
    for _ in range(int(times)):
        KEPT[name].to_sat()


def call_on(name: str) -> None:
    """A thread that calls a method of the object until ``quiet``.

    Each call clones the handle first.
    """

    def call() -> None:
        while not QUIET.is_set():
            KEPT[name].to_sat()

    STORM.append(threading.Thread(target=call))
    STORM[-1].start()


def keep(name: str) -> None:
    """One more reference, as native code keeps it."""
    KEPT[name]._uniffi_clone_handle()


def wallet(name: str) -> None:
    """A wallet with something to save, and a store in which saving does not end until
    ``let_go``."""
    package = bdk()
    words = package.Mnemonic.from_string("abandon " * 11 + "about")
    key = package.DescriptorSecretKey(package.NetworkKind.TEST, words, None)
    kinds = (package.KeychainKind.EXTERNAL, package.KeychainKind.INTERNAL)
    descriptors = [
        package.Descriptor.new_bip84(key, kind, package.NetworkKind.TEST) for kind in kinds
    ]

    class Store(package.Persistence):  # type: ignore[misc, name-defined]
        def initialize(self) -> Any:
            return package.ChangeSet()

        def persist(self, changeset: Any) -> None:
            if SAVERS:  # it is also called while the wallet is made
                SAVING.set()
                LET_GO.wait()

    KEPT[f"{name}_store"] = package.Persister.custom(Store())
    KEPT[name] = package.Wallet(*descriptors, package.Network.REGTEST, KEPT[f"{name}_store"])
    KEPT[name].reveal_next_address(kinds[0])


def save(name: str, thread: str) -> int:
    """A thread of that name that saves the wallet; the line on which it does so."""

    def run() -> None:
        KEPT[name].persist(KEPT[f"{name}_store"])

    SAVERS.append(threading.Thread(target=run, name=thread, daemon=True))
    SAVERS[-1].start()
    SAVING.wait()
    return run.__code__.co_firstlineno + 1


def let_go() -> None:
    """All saving ends."""
    LET_GO.set()
    while SAVERS:
        SAVERS.pop().join()


def quiet() -> None:
    QUIET.set()
    calm()


def attributes() -> dict[str, dict[str, int]]:
    """Identity of each attribute of each class of the package."""
    return {
        name: {key: id(value) for key, value in vars(cls).items() if key != "__slotnames__"}
        for name, cls in vars(generated()).items()
        if isinstance(cls, type)
    }


def load() -> None:
    bdk()


def start(level: str) -> str:
    return agent.start(level)


def main() -> None:
    if "early" in sys.argv:
        amount("early_1", "1")
        amount("early_2", "2")
    elif "late" not in sys.argv:
        bdk()
    is_started = "none" not in sys.argv
    steps = (
        amount,
        mnemonic,
        share,
        duplicate,
        disarm,
        fail_to_lower,
        builder,
        on_thread,
        own,
        leak,
        many,
        forget,
        persister,
        attributes,
    )
    serve(
        {
            step.__name__: step
            for step in (
                *steps,
                keep,
                wallet,
                save,
                let_go,
                knot,
                untie,
                storm,
                calm,
                call,
                call_on,
                quiet,
                load,
                start,
            )
        }
        | {"drop": lambda name: KEPT.pop(name) and None, "stop": agent.stop},
        segment=agent.start("history") if is_started else "",
        remember_line=remember.__code__.co_firstlineno + 2,
    )


if __name__ == "__main__":
    main()
