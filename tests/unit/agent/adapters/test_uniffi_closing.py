"""How a declaration makes a generated class close; what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import nostr_sdk
import nostr_sdk.nostr_sdk
import pytest

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.agent.adapters.uniffi.closing import call_trouble
from inspector.errors import InspectorError
from inspector.vocabulary import Resource
from inspector.wire.declarations import Declaration, parse_declaration
from tests.unit.agent.adapters.conftest import generated_attributes
from tests.unit.agent.adapters.table_recorder import TableRecorder

CLIENT = nostr_sdk.nostr_sdk.Client


def declared(**fields: Any) -> Declaration:
    return parse_declaration({"class": "nostr_sdk.nostr_sdk.Client", **fields}, "a.toml")


def test_a_class_is_left_as_it_was_and_its_rows_close_no_longer(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    before = generated_attributes()
    closing = adapter.opt_in(CLIENT, declared(close="shutdown", watch=["connect"]))
    assert closing is not None
    bound = nostr_sdk.ClientBuilder().build().shutdown
    assert [row.resource for row in recorder.live("Client")] == [Resource.OPEN]
    closing.undo()
    assert generated_attributes() == before
    assert [row.resource for row in recorder.live("Client")] == [Resource.NONE]
    asyncio.run(bound())  # taken before, called after
    assert [row.resource for row in recorder.live("Client")] == [Resource.NONE]
    del bound
    gc.collect()


def test_a_method_that_is_cancelled_half_way_leaves_it_unknown(
    adapter: UniffiAdapter, recorder: TableRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def shutdown(_client: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(CLIENT, "shutdown", shutdown)
    closing = adapter.opt_in(CLIENT, declared(close="shutdown"))
    assert closing is not None
    client = nostr_sdk.ClientBuilder().build()

    async def cancelled() -> list[Resource]:
        task = asyncio.ensure_future(client.shutdown())
        await asyncio.sleep(0)
        seen = [row.resource for row in recorder.live("Client")]
        task.cancel()
        await asyncio.wait([task])
        return seen

    assert asyncio.run(cancelled()) == [Resource.CLOSING]
    assert [row.resource for row in recorder.live("Client")] == [Resource.UNKNOWN]
    closing.undo()
    monkeypatch.undo()  # before the adapter compares the classes


def test_a_class_of_the_program_that_is_derived_from_a_followed_one_is_refused(
    adapter: UniffiAdapter,
) -> None:
    class Derived(CLIENT):  # type: ignore[misc]
        """Its proxies are rows of the class above it."""

    with pytest.raises(
        InspectorError, match=r"as nostr_sdk\.nostr_sdk\.Client: declare that class"
    ):
        adapter.opt_in(Derived, declared(close="shutdown"))


def test_a_class_that_is_not_followed_is_left_to_others(adapter: UniffiAdapter) -> None:
    assert adapter.opt_in(dict, declared(close="clear")) is None


def test_a_method_that_takes_an_argument_by_position_only_is_refused() -> None:
    def close(self: object, code: int, /) -> None:
        """Not to be called."""

    def finish(self: object, code: int, *, flush: bool = False) -> None:
        """Not to be called."""

    assert call_trouble(close, frozenset({"code"})) == "close needs the argument code by position"
    assert call_trouble(finish, frozenset()) == (
        "finish needs the argument code, which close_with does not give"
    )
    assert call_trouble(finish, frozenset({"code", "flush"})) == ""
    assert call_trouble(finish, frozenset({"code", "now"})) == "finish has no argument now"
