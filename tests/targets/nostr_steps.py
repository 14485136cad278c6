"""A target over an unmodified nostr-sdk: traits of Rust and of Python, shared with native code.

No network is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import datetime
import socket
from typing import Any

import nostr_sdk
from stepping import serve

from inspector import agent

KEPT: dict[str, Any] = {}
"""What the program holds, by name."""


LEAKED: list[int] = []


class Policy(nostr_sdk.AdmitPolicy):  # type: ignore[misc]
    """A trait that Python implements."""


def client(name: str) -> None:
    KEPT[name] = nostr_sdk.ClientBuilder().build()


def database(name: str, of: str) -> None:
    """A trait that Rust implements."""
    KEPT[name] = KEPT[of].database()


def builder_over(name: str, database_name: str) -> None:
    """An object of Rust that holds the database from now on."""
    KEPT[name] = nostr_sdk.ClientBuilder().database(KEPT[database_name])


def builder_with_policy(name: str, policy_name: str) -> None:
    """An object of Rust that holds a Python object."""
    KEPT[name] = nostr_sdk.ClientBuilder().admit_policy(KEPT[policy_name])


def policy(name: str) -> None:
    KEPT[name] = Policy()


def share(name: str, of: str) -> None:
    """A second proxy made as the library makes it."""
    proxy = KEPT[of]
    KEPT[name] = type(proxy)._uniffi_make_instance(proxy._uniffi_clone_handle())


def leak_clones(name: str, times: str) -> None:
    """The clone that a call takes for itself, without the call."""
    LEAKED.extend(KEPT[name]._uniffi_clone_handle() for _ in range(int(times)))


def return_clones(name: str) -> None:
    while LEAKED:
        type(KEPT[name])._uniffi_make_instance(LEAKED.pop())


def duplicate(name: str, of: str) -> None:
    """A second proxy that shares the first one's count."""
    KEPT[name] = copy.copy(KEPT[of])


def disarm(name: str) -> None:
    KEPT[name]._handle = None


def keys(name: str) -> str:
    KEPT[name] = nostr_sdk.Keys.generate()
    return str(KEPT[name].public_key().to_hex())


def search(name: str) -> None:
    KEPT[name] = nostr_sdk.Filter()


def fail_to_lower(name: str, times: str) -> int:
    """Calls whose argument cannot be lowered: each leaks the clone for ``self``."""
    failed = 0
    for _ in range(int(times)):
        try:
            KEPT[name].hashtag("\ud800")
        except UnicodeEncodeError:
            failed += 1
    return failed


def relays(name: str) -> int:
    """A call that is awaited."""
    return len(asyncio.run(KEPT[name].relays()))


def connect(name: str, of: str) -> None:
    """A call that waits for a server of our own which never answers, made and left pending.

    The program's loop stands still.
    """
    loop = KEPT.setdefault("loop", asyncio.new_event_loop())
    server = KEPT.setdefault("server", socket.create_server(("127.0.0.1", 0)))
    relay = nostr_sdk.RelayUrl.parse(f"ws://127.0.0.1:{server.getsockname()[1]}")
    loop.run_until_complete(KEPT[of].add_relay(relay))
    KEPT[name] = loop.create_task(KEPT[of].try_connect(datetime.timedelta(hours=1)))
    loop.run_until_complete(asyncio.sleep(0))


def cancel(name: str) -> None:
    """Give such a call up."""
    KEPT[name].cancel()
    with contextlib.suppress(asyncio.CancelledError):
        KEPT["loop"].run_until_complete(KEPT.pop(name))


def cancelled(of: str) -> None:
    """One call made and given up."""
    connect("cancelled", of)
    cancel("cancelled")


def end_loop() -> None:
    KEPT.pop("loop").close()
    KEPT.pop("server").close()


def drop(name: str) -> None:
    del KEPT[name]


if __name__ == "__main__":
    steps = (
        client,
        database,
        builder_over,
        builder_with_policy,
        policy,
        share,
        leak_clones,
        return_clones,
        duplicate,
        disarm,
        keys,
        search,
        fail_to_lower,
        relays,
        connect,
        cancel,
        cancelled,
        end_loop,
        drop,
    )
    serve(
        {step.__name__: step for step in steps} | {"stop": agent.stop},
        segment=agent.start("history"),
    )
