"""A target whose Python objects native code calls: ``go KIND`` makes a call, ``bad`` or ``good``.

``declared``: a method that raises a declared exception, or an undeclared one; ``lowered``: a method
that returns a correct value, or not; ``awaited``: an asynchronous method that raises; ``loopless``:
a method without a known event loop, so that the call cannot begin.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import nostr_sdk
from stepping import serve

from inspector import agent

IS_BAD = sys.argv[1] == "bad"
KEPT: dict[str, Any] = {}
"""Signers by kind, and what the program holds that holds them."""
KEY = nostr_sdk.Keys.generate().public_key()


class Declared(nostr_sdk.NostrSigner):
    """Raises a declared exception, or an undeclared one."""

    def get_public_key(self) -> Any:
        if IS_BAD:
            raise ValueError("bad")
        raise nostr_sdk.NostrSdkError.Generic("declared")


class Lowered(nostr_sdk.NostrSigner):
    """Returns a correct value, or not."""

    def get_public_key(self) -> Any:
        return 7 if IS_BAD else KEY

    def sign_event(self, unsigned_event: Any) -> Any:
        raise nostr_sdk.NostrSdkError.Generic("declared")


class Awaited(nostr_sdk.AsyncNostrSigner):
    """Raises after it has waited."""

    async def get_public_key_async(self) -> Any:
        await asyncio.sleep(0)
        if IS_BAD:
            raise LookupError("bad")
        return None


def sign(signer: Any) -> None:
    nostr_sdk.EventBuilder(nostr_sdk.Kind(1), "x").finalize(signer)


def sign_async(signer: Any) -> None:
    asyncio.run(
        asyncio.wait_for(nostr_sdk.EventBuilder(nostr_sdk.Kind(1), "x").finalize_async(signer), 60)
    )


class Generated:
    """The callback that native code calls on a thread of its own, built as generated callbacks
    are."""

    @staticmethod
    def get_public_key_async(uniffi_obj: Any) -> None:
        def make_call() -> Any:
            return uniffi_obj.get_public_key_async()

        call = vars(sys.modules["nostr_sdk.nostr_sdk"])["_uniffi_trait_interface_call_async"]
        if IS_BAD:
            call(make_call, [None], int, int)


CALLS: dict[str, tuple[type, Callable[[Any], None]]] = {
    "declared": (Declared, sign),
    "lowered": (Lowered, sign),
    "awaited": (Awaited, sign_async),
    "loopless": (Awaited, Generated.get_public_key_async),
}


def identities() -> dict[str, int]:
    """The functions that may be replaced."""
    return {
        name: id(found)
        for name, found in vars(sys.modules["nostr_sdk.nostr_sdk"]).items()
        if "trait_interface_call" in name
    }


def go(kind: str) -> str:
    """The library's own answer."""
    answers: list[str] = []

    def call() -> None:
        try:
            CALLS[kind][1](KEPT[kind])
        except Exception as error:
            answers.append(type(error).__name__)

    thread = threading.Thread(target=call, name=kind)
    thread.start()
    thread.join()
    return answers.pop() if answers else ""


if __name__ == "__main__":
    BEFORE = identities()
    KEPT.update({kind: signer() for kind, (signer, _) in CALLS.items()})
    HELD = [
        vars(sys.modules["nostr_sdk.nostr_sdk"])["_UniffiFfiConverterTypeAsyncNostrSigner"].lower(
            KEPT["awaited"]
        )
    ]
    SEGMENT = agent.start("stacks")
    serve(
        {"go": go, "stop": agent.stop, "is_as_before": lambda: identities() == BEFORE},
        forget=KEPT.clear,
        segment=SEGMENT,
    )
