"""Clones in transit.

Native stand-ins for the library's clone functions while the level asks for events.
"""

from __future__ import annotations

from typing import Any

import bdkpython as bdk
from bdkpython.bdk import _UniffiLib as library

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.agent.agent import segment_path
from inspector.attach.segment import Segment
from inspector.vocabulary import EventKind, Level
from inspector.wire import ffi, lib
from tests.unit.agent.adapters.table_recorder import TableRecorder

MANY = 1 << 16


def clones_of(address: int) -> list[int]:
    """Strong counts after each clone of the object, as the history has them."""
    counts = []
    with Segment(segment_path()) as segment:
        for ring in range(segment.header().rings.used):
            events: Any = ffi.new("AiEvent[]", MANY)
            count, _, _ = segment.read_events(ffi.buffer(events), ring, 0)
            found = [
                event
                for event in events[0:count]
                if event.address == address and event.count_kind & 0xFF == EventKind.CLONE
            ]
            counts += [event.count_kind >> 8 for event in found]
    return counts


def test_each_call_of_a_method_leaves_its_clone_in_the_history(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    functions = dict(vars(library))
    amount = bdk.Amount.from_sat(5)
    (row,) = recorder.live("Amount")
    adapter.poll()
    assert dict(vars(library)) == functions

    lib.ai_set_level(Level.HISTORY)
    adapter.poll()
    assert dict(vars(library)) != functions
    before = len(clones_of(row.address))
    assert [amount.to_sat() for _ in range(3)] == [5, 5, 5]
    assert clones_of(row.address)[before:] == [2, 2, 2]

    lib.ai_set_level(Level.COUNT)
    adapter.poll()
    assert dict(vars(library)) == functions
    assert amount.to_sat() == 5
    assert len(clones_of(row.address)) == before + 3


def test_detaching_puts_the_librarys_functions_back(recorder: TableRecorder) -> None:
    functions = dict(vars(library))
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    try:
        lib.ai_set_level(Level.HISTORY)
        amount = bdk.Amount.from_sat(5)
        adapter.poll()
        assert dict(vars(library)) != functions
    finally:
        adapter.detach()
    assert dict(vars(library)) == functions
    assert all(vars(library)[name] is function for name, function in functions.items())
    assert amount.to_sat() == 5


def test_a_function_that_somebody_else_set_meanwhile_stays(adapter: UniffiAdapter) -> None:
    lib.ai_set_level(Level.HISTORY)
    amount = bdk.Amount.from_sat(5)
    adapter.poll()
    name = next(name for name in vars(library) if name.endswith("_fn_clone_amount"))
    stand_in = vars(library)[name]
    original = getattr(library, name)

    def patched(*args: Any) -> Any:
        return stand_in(*args)

    setattr(library, name, patched)
    try:
        lib.ai_set_level(Level.COUNT)
        adapter.poll()
        assert vars(library)[name] is patched
        assert amount.to_sat() == 5
    finally:
        setattr(library, name, original)
