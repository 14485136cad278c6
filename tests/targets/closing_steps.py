"""A target over unmodified nostr-sdk and bdkpython, whose clients close.

At once, or awaited on a loop that runs on a thread of its own.

Nothing goes over a network. Every object has a name; ``drop NAME`` releases it.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Awaitable
from typing import Any

import bdkpython
import nostr_sdk
from stepping import serve

from inspector import agent

KEPT: dict[str, Any] = {}
"""Objects of the program by name."""
NODES: list[Any] = []
FOLDER = tempfile.TemporaryDirectory(prefix="closing-")
KEY = "[9a6a2580/84'/1'/0']tpubDDnGNapGEY6AZAdQbfRJgMg9fvz8pUBrLwvyvUqEgcUfgzM6zc2eVK4vY9x9L5FJWdX8WumXuLEDV5zDZnTfbn87vLe9XceCFwTu9so9Kks"


class Loops:
    """The program's event loop and the thread that it runs on."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="loop")
        self.gate = threading.Event()

    def run(self, awaitable: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result()


LOOPS: list[Loops] = []


def start_loop() -> None:
    LOOPS.append(Loops())
    LOOPS[-1].thread.start()
    LOOPS[-1].run(asyncio.sleep(0))


def block_loop() -> None:
    """The loop runs a callback that does not return until ``unblock_loop``."""
    entered = threading.Event()

    def hold() -> None:
        entered.set()
        LOOPS[-1].gate.wait()

    LOOPS[-1].loop.call_soon_threadsafe(hold)
    entered.wait()


def unblock_loop() -> None:
    LOOPS[-1].gate.set()


def end_loop() -> None:
    """Stops the loop before anything that was queued behind the callback, and closes it."""
    ended = LOOPS.pop()
    ended.loop._stopping = True  # type: ignore[attr-defined]  # as its own stop() does, which other threads may not call
    ended.gate.set()
    ended.thread.join()
    ended.loop.close()


def client(name: str) -> None:
    """Its closers are coroutine functions."""
    KEPT[name] = nostr_sdk.ClientBuilder().build()


def cbf(name: str, has_node: str = "yes") -> None:
    """Its closer is a plain method.

    Without its node such a client does not run, and cannot be shut down.
    """
    kind = bdkpython.NetworkKind.TEST
    inner, outer = (bdkpython.Descriptor(f"wpkh({KEY}/{branch}/*)", kind) for branch in (0, 1))
    wallet = bdkpython.Wallet(
        inner, outer, bdkpython.Network.REGTEST, bdkpython.Persister.new_in_memory()
    )
    made = bdkpython.CbfBuilder().data_dir(FOLDER.name).peers([]).build(wallet)
    NODES.extend([made.node] if has_node == "yes" else [])
    KEPT[name] = made.client


def share(name: str, of: str) -> None:
    """A second proxy as the library lifts one."""
    proxy = KEPT[of]
    KEPT[name] = type(proxy)._uniffi_make_instance(proxy._uniffi_clone_handle())


def shutdown(name: str) -> None:
    KEPT[name].shutdown()


def await_shutdown(name: str) -> None:
    LOOPS[-1].run(KEPT[name].shutdown())


def await_disconnect(name: str) -> None:
    LOOPS[-1].run(KEPT[name].disconnect())


def await_connect(name: str) -> None:
    LOOPS[-1].run(KEPT[name].connect())


def use(name: str) -> bool:
    """A plain method; returns its answer."""
    return bool(KEPT[name].is_running())


def is_coroutine_function(name: str, method: str) -> bool:
    return asyncio.iscoroutinefunction(getattr(KEPT[name], method))


def drop(name: str) -> None:
    del KEPT[name]


def finish() -> None:
    """Everything that was started has ended."""
    KEPT.clear()
    NODES.clear()
    while LOOPS:
        ended = LOOPS.pop()
        ended.gate.set()
        ended.loop.call_soon_threadsafe(ended.loop.stop)
        ended.thread.join()
        ended.loop.close()
    FOLDER.cleanup()


if __name__ == "__main__":
    steps = (
        start_loop,
        block_loop,
        unblock_loop,
        end_loop,
        client,
        cbf,
        share,
        shutdown,
        use,
        await_shutdown,
        await_disconnect,
        await_connect,
        is_coroutine_function,
        drop,
    )
    serve(
        {step.__name__: step for step in steps} | {"stop": agent.stop},
        forget=finish,
        segment=agent.start("history"),
    )
