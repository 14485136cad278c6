from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import ModuleType

import pytest

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.vocabulary import Kind, Reference
from tests.unit.agent.adapters.pointer_library import ALIGNMENT, made_module
from tests.unit.agent.adapters.table_recorder import TableRecorder


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = made_module()
    monkeypatch.setitem(sys.modules, "made", module)
    return module


@pytest.fixture
def adapter(made: ModuleType, recorder: TableRecorder) -> Iterator[UniffiAdapter]:
    before = {
        name: dict(vars(made)[name].__dict__) for name in ("Thing", "StoreImpl", "_UniffiHandleMap")
    }
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    yield adapter
    adapter.detach()
    assert {name: dict(vars(made)[name].__dict__) for name in before} == before


def test_an_object_of_a_larger_alignment_is_placed_by_its_library(
    made: ModuleType, adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    thing = made.Thing()
    shared = made.Thing._make_instance_(thing._uniffi_clone_pointer())

    assert [(row.kind, row.address, row.strong()) for row in recorder.live("Thing")] == [
        (Kind.UNIFFI, thing._pointer - ALIGNMENT, 2)
    ] * 2
    del thing
    del shared
    assert recorder.ended("Thing") == [Reference.RELEASED, Reference.DROPPED]


def test_boxes_of_one_trait_object_share_its_address(
    made: ModuleType, adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    store = made.StoreImpl()
    shared = made.StoreImpl._make_instance_(store._uniffi_clone_pointer())
    assert store._pointer != shared._pointer

    first, second = recorder.live("StoreImpl")
    assert first.kind == Kind.UNIFFI_TRAIT
    assert first.address == second.address
    assert first.strong() == 2
    del store
    del shared
    assert recorder.ended("StoreImpl") == [Reference.RELEASED, Reference.DROPPED]


def test_handle_0_of_a_foreign_object_is_a_handle(
    made: ModuleType, adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    class Shelf(made.Store):  # type: ignore[name-defined,misc]
        pass

    shelf = Shelf()
    converter = made._UniffiConverterTypeStore
    assert converter.lower(shelf) == 0

    (row,) = recorder.live("Shelf")
    assert (row.kind, row.data, row.address) == (Kind.UNIFFI_FOREIGN, 0, id(shelf))
    converter._handle_map.remove(0)
    assert recorder.ended("Shelf") == [Reference.RELEASED]


def test_a_proxy_whose_finaliser_was_running_when_the_hooks_came_gets_no_row(
    made: ModuleType, recorder: TableRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Event(), threading.Event()
    free = made._UniffiLib.uniffi_made_fn_free_thing

    dying = [made.Thing()]
    slow = dying[0]._pointer

    def freeing(pointer: int) -> None:
        if pointer == slow:
            entered.set()
            assert leave.wait(30)
        free(pointer)

    monkeypatch.setattr(made._UniffiLib, "uniffi_made_fn_free_thing", freeing)
    thread = threading.Thread(target=dying.clear)
    thread.start()
    assert entered.wait(30)
    living = made.Thing()
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    try:
        list(adapter.scan())
        (row,) = recorder.live("Thing")
        assert row.data == living._pointer
    finally:
        leave.set()
        thread.join()
        del living
        adapter.detach()
