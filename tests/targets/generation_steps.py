"""A target over one unmodified package of some generation of UniFFI.

Makes, shares, leaks and drops its objects by steps.

Arguments: the family of the package (``glean``, ``nostr``, ``bdk``), then folders for the front of
``sys.path``, then options: ``early NAME`` makes one object before the agent starts.
"""

from __future__ import annotations

import asyncio
import copy
import ctypes
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from stepping import serve

from inspector import agent

KEPT: dict[str, Any] = {}
"""What the program holds, by name."""


class Glean:
    """Metrics, which need no running Glean.

    The generated module alone: the package around it has dependencies.
    """

    def __init__(self, folder: Path) -> None:
        """Load ``_uniffi.py`` or ``_uniffi/glean.py``."""
        places = (folder / "glean" / "_uniffi.py", folder / "glean" / "_uniffi" / "glean.py")
        spec = importlib.util.spec_from_file_location(
            "glean_generated", next(place for place in places if place.exists())
        )
        assert spec is not None
        assert spec.loader is not None
        self.module = importlib.util.module_from_spec(spec)
        sys.modules["glean_generated"] = self.module
        spec.loader.exec_module(self.module)

    def make(self) -> Any:
        return self.module.BooleanMetric(self._meta("switch"))

    def holder(self) -> Any:
        """An object of Rust that keeps the objects it gives out."""
        return self.module.LabeledBoolean(self._meta("labelled"), ["a", "b"])

    def again(self, holder: Any) -> Any:
        return holder.get("a")

    def _meta(self, name: str) -> Any:
        return self.module.CommonMetricData(
            category="made",
            name=name,
            send_in_pings=[],
            lifetime=self.module.Lifetime.PING,
            disabled=True,
            dynamic_label=None,
        )


class Nostr:
    """Keys, filters and clients; no network is used."""

    def __init__(self, folder: Path) -> None:
        """Import the package, of one module or two."""
        sys.path.insert(0, str(folder))
        self.package = importlib.import_module("nostr_sdk")

    def make(self) -> Any:
        return self.package.Keys.generate()

    def filter(self) -> Any:
        return self.package.Filter()

    def client(self) -> Any:
        return self.package.Client(None)

    def held(self) -> Any:
        """An object of Rust that holds a Python object, through the package's own trait."""
        package = self.package
        if hasattr(package.ClientBuilder, "admit_policy"):
            return package.ClientBuilder().admit_policy(
                type("Policy", (package.AdmitPolicy,), {})()
            )
        return package.NostrDatabase.custom(type("Policy", (package.CustomNostrDatabase,), {})())

    def slow_call(self, entered: Callable[[], None]) -> Any:
        """A call that runs until it is cancelled, and calls ``entered`` when it waits."""
        package = self.package

        async def get_public_key(signer: Any) -> Any:
            loop = asyncio.get_running_loop()
            loop.call_soon(entered)  # runs when this waits
            await loop.create_future()

        if hasattr(package, "AsyncNostrSigner"):
            signer = type(
                "Signer", (package.AsyncNostrSigner,), {"get_public_key_async": get_public_key}
            )()
            return package.EventBuilder(package.Kind(1), "x").finalize_async(signer)
        if hasattr(package, "CustomNostrSigner"):
            signer = type(
                "Signer", (package.CustomNostrSigner,), {"get_public_key": get_public_key}
            )()
            return package.EventBuilder.text_note("x").sign(package.NostrSigner.custom(signer))
        entered()
        return package.Client(None).handle_notifications(
            type("Handler", (package.HandleNotification,), {})()
        )


class Bdk:
    """Wallets and amounts."""

    def __init__(self, folder: Path) -> None:
        """Import the package."""
        sys.path.insert(0, str(folder))
        self.package = importlib.import_module("bdkpython")
        self.generated: ModuleType = importlib.import_module("bdkpython.bdk")

    def make(self) -> Any:
        if hasattr(self.package, "Amount"):
            return self.package.Amount.from_sat(1)
        keys = "wpkh(03d902f35f560e0470c63313c7369168d9d7df2d49bf295fd9fb7cb109ccee0494)"
        module = self.generated
        return module.OfflineWallet(keys, module.Network.TESTNET, module.DatabaseConfig.MEMORY(""))

    def filter(self) -> Any:
        return self.package.TxBuilder()


def failing_callback(module: Any) -> Callable[[], int]:
    """A call of native code into a Python object whose first method raises, as an older generation
    makes it; what native code is answered."""
    mark = "foreignCallbackCallbackInterface"
    name = next(each for each in vars(module) if each.startswith(mark)).removeprefix(mark)
    callback = getattr(module, mark + name)
    base = getattr(module, name)

    def fail(self: Any, *given: Any) -> None:
        raise LookupError("bad")

    methods = {each: fail for each in vars(base) if not each.startswith("_")}
    listener = type("Listener", (base,), methods)()
    converter = next(
        value
        for key, value in vars(module).items()
        if key.endswith(f"CallbackInterface{name}") and hasattr(value, "_foreign_callback")
    )
    handle = (getattr(converter, "lower", None) or converter._lower)(listener)
    KEPT["listener"] = listener
    rest = [
        ctypes.pointer(each._type_()) if hasattr(each, "contents") else each()
        for each in type(callback)._argtypes_[2:]
    ]
    return lambda: int(callback(handle, 1, *rest))


class SlowCall:
    """One asynchronous call on an event loop of a thread of its own."""

    def __init__(self, make: Callable[[Callable[[], None]], Any]) -> None:
        """Start it; returns when it waits."""
        entered, begun = threading.Event(), threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop")
        self._thread.start()

        async def made() -> Any:
            return await make(entered.set)

        async def call() -> None:
            pending = asyncio.ensure_future(made())
            begun.set()
            await pending

        self._future = asyncio.run_coroutine_threadsafe(call(), self._loop)
        for event in (begun, entered):
            if not event.wait(30):
                raise TimeoutError("the call did not come to wait")

    def cancel(self) -> None:
        """Cancel it, and end the thread afterwards."""
        self._future.cancel()

        async def rest() -> None:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(rest(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


FAMILIES = {"glean": Glean, "nostr": Nostr, "bdk": Bdk}


def names(thing: Any) -> str:
    """The class of an object."""
    return type(thing).__name__


def share(name: str, of: str) -> None:
    """A second proxy made as the library makes it, with a count of its own."""
    proxy = KEPT[of]
    make = getattr(type(proxy), "_uniffi_make_instance", None) or type(proxy)._make_instance_
    clone = getattr(proxy, "_uniffi_clone_handle", None) or proxy._uniffi_clone_pointer
    KEPT[name] = make(clone())


def duplicate(name: str, of: str) -> None:
    """A second proxy that shares the first one's count: a double free to come."""
    KEPT[name] = copy.copy(KEPT[of])


def disarm(name: str) -> None:
    """Keep a duplicate from releasing a reference that it does not own."""
    vars(KEPT[name])["_pointer" if "_pointer" in vars(KEPT[name]) else "_handle"] = None


def fail_to_lower(name: str, times: str) -> int:
    """Calls whose argument cannot be lowered, after the clone for ``self``."""
    failed = 0
    call = getattr(KEPT[name], "hashtag", None) or KEPT[name].sighash
    for _ in range(int(times)):
        try:
            call("\ud800")
        except UnicodeEncodeError:
            failed += 1
    return failed


def attributes() -> dict[str, dict[str, int]]:
    """Identity of each attribute of each class, and of each global, of the generated modules."""
    found = {}
    for name, module in list(sys.modules.items()):
        scope = vars(module) if isinstance(module, ModuleType) else {}
        if "_UniffiLib" in scope or "_UniFFILib" in scope:
            found[name] = {key: id(value) for key, value in scope.items()}
            for key, cls in scope.items():
                if isinstance(cls, type):
                    found[f"{name}.{key}"] = {
                        each: id(value)
                        for each, value in vars(cls).items()
                        if each != "__slotnames__"
                    }
            library = scope.get("_UniffiLib") or scope.get("_UniFFILib")
            found[f"{name} library"] = {key: id(value) for key, value in vars(library).items()}
    return found


def main() -> None:
    family = FAMILIES[sys.argv[1]](Path(sys.argv[2]))

    def make(name: str, *how: str) -> str:
        """``make NAME [METHOD [ARGUMENT]]``; answers the class."""
        method, *arguments = how or ("make",)
        KEPT[name] = getattr(family, method)(*(KEPT[each] for each in arguments))
        return names(KEPT[name])

    def call_slowly(name: str) -> None:
        """Begin a call that does not end until ``cancel NAME``."""
        KEPT[name] = SlowCall(family.slow_call)

    def cancel(name: str) -> None:
        KEPT.pop(name).cancel()

    def fail_callback() -> int:
        """Native code calls a Python method that raises."""
        if "callback" not in KEPT:
            KEPT["callback"] = failing_callback(getattr(family, "generated", None) or family.module)
        answer: int = KEPT["callback"]()
        return answer

    def code_of_callbacks() -> dict[str, int]:
        """Identity of the code of each function for callbacks."""
        module = getattr(family, "generated", None) or family.module
        return {
            name: id(found.__code__)
            for name, found in vars(module).items()
            if name.startswith("py_foreignCallback")
        }

    if "early" in sys.argv:
        make("early")
    steps = (
        fail_callback,
        code_of_callbacks,
        make,
        call_slowly,
        cancel,
        share,
        duplicate,
        disarm,
        fail_to_lower,
        attributes,
    )
    serve(
        {step.__name__: step for step in steps}
        | {"drop": lambda name: KEPT.pop(name) and None, "start": agent.start, "stop": agent.stop},
        segment=agent.start("history") if "none" not in sys.argv else "",
    )


if __name__ == "__main__":
    main()
