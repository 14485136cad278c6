"""Proxies that live on after their finaliser released their handle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import bdkpython as bdk
import pytest

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.vocabulary import Reference, Resource
from tests.unit.agent.adapters.table_recorder import Row, TableRecorder

GRAVE: list[Any] = []


class Phoenix(bdk.Mnemonic):  # type: ignore[misc]
    def __del__(self) -> None:
        super().__del__()
        GRAVE.append(self)


class Ordinary(bdk.Mnemonic):  # type: ignore[misc]
    def __del__(self) -> None:
        super().__del__()


@pytest.fixture(autouse=True)
def grave() -> Iterator[None]:
    yield
    for proxy in GRAVE:
        proxy._handle = None  # or the library would free it twice
    GRAVE.clear()


@pytest.fixture
def arrive(recorder: TableRecorder) -> Iterator[Any]:
    """Lets the agent arrive where objects live, and look around."""
    adapter = UniffiAdapter(recorder)

    def arrived() -> UniffiAdapter:
        adapter.attach()
        for _ in adapter.scan():
            pass
        settle(adapter)
        return adapter

    yield arrived
    adapter.detach()


def mnemonic(cls: type = bdk.Mnemonic) -> Any:
    return cls(bdk.WordCount.WORDS12)


def settle(adapter: UniffiAdapter) -> None:
    for _ in range(2):
        adapter.poll()


def freed(recorder: TableRecorder) -> list[Row]:
    """Live rows of freed proxies; each names no object, so nothing reads its memory."""
    rows = [row for row in recorder.live("Mnemonic") if row.resource == Resource.FREED]
    assert not any(row.address for row in rows)
    return rows


def test_a_finaliser_that_is_called_by_hand_leaves_a_freed_proxy(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    proxy, sound = mnemonic(), mnemonic()
    proxy.__del__()
    settle(adapter)

    assert recorder.ended("Mnemonic") == [Reference.DROPPED]
    assert [row.data for row in freed(recorder)] == [proxy._handle]
    assert [row.data for row in recorder.live("Mnemonic") if row.resource != Resource.FREED] == [
        sound._handle
    ]

    proxy._handle = None
    adapter.poll()
    assert not freed(recorder)


def test_a_finaliser_that_brings_its_object_back_leaves_a_freed_proxy(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    mnemonic(Phoenix)
    settle(adapter)

    assert [row.data for row in freed(recorder)] == [GRAVE[0]._handle]
    GRAVE.clear()  # a finaliser runs once, so this one frees nothing
    adapter.poll()
    assert not recorder.live("Mnemonic")


def test_a_freed_proxy_whose_object_lives_on_is_freed_all_the_same(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    first = mnemonic()
    second = bdk.Mnemonic._uniffi_make_instance(first._uniffi_clone_handle())
    second.__del__()
    settle(adapter)
    for _ in adapter.scan():
        pass

    assert len(freed(recorder)) == 1
    assert len(recorder.live("Mnemonic")) == 2
    second._handle = None


def test_a_finaliser_that_runs_twice_ends_the_row_without_a_look_at_the_memory(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    proxy = mnemonic()
    keeps = bdk.Mnemonic._uniffi_make_instance(proxy._uniffi_clone_handle())
    more = keeps._uniffi_clone_handle()  # the reference that the second call releases in error
    proxy.__del__()
    settle(adapter)
    proxy.__del__()
    assert not freed(recorder)
    settle(adapter)

    assert len(freed(recorder)) == 1
    assert more == keeps._handle
    proxy._handle = None


def test_sound_finalisers_leave_no_freed_proxy(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    ring = [mnemonic(Ordinary)]
    ring[0].ring = ring
    del ring
    mnemonic(Ordinary)
    mnemonic()
    gc.collect()
    settle(adapter)

    assert not recorder.live("Mnemonic")
    assert recorder.ended("Mnemonic") == [Reference.DROPPED] * 3


def test_objects_that_were_freed_before_the_agent_came_are_found(
    recorder: TableRecorder, arrive: Any
) -> None:
    sound = mnemonic()
    by_hand = [mnemonic() for _ in range(3)]
    for proxy in by_hand:
        proxy.__del__()
    for _ in range(2):
        mnemonic(Phoenix)
    arrive()

    assert {row.data for row in freed(recorder)} >= {
        proxy._handle for proxy in (*by_hand, *GRAVE)
    } - {sound._handle}
    assert len(recorder.live("Mnemonic")) == 6
    assert (
        sum(
            row.data == sound._handle and row.resource == Resource.NONE
            for row in recorder.live("Mnemonic")
        )
        == 1
    )
    for proxy in by_hand:
        proxy._handle = None
