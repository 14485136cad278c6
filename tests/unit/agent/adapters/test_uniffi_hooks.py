from __future__ import annotations

import inspect
from typing import Any

import bdkpython as bdk

from inspector.agent.adapters.uniffi import UniffiAdapter, hooks
from inspector.agent.faults import Faults
from tests.unit.agent.adapters.table_recorder import TableRecorder


def test_hooked_functions_look_like_the_originals(adapter: UniffiAdapter) -> None:
    assert str(inspect.signature(bdk.Mnemonic.__init__)) == "(self, word_count: 'WordCount')"
    assert bdk.Mnemonic.__init__.__qualname__ == "Mnemonic.__init__"
    assert bdk.Mnemonic._uniffi_make_instance.__name__ == "_uniffi_make_instance"


def test_methods_are_not_touched(adapter: UniffiAdapter) -> None:
    own = {name: getattr(value, "__func__", value) for name, value in vars(bdk.Amount).items()}
    hooked = {
        name
        for name, value in own.items()
        if getattr(value, "__module__", "") == hooks.__name__ or hasattr(value, "__wrapped__")
    }

    assert hooked == {"__init__", "__del__", "_uniffi_make_instance", "__reduce_ex__"}


def test_proxies_made_while_hooked_are_released_after_the_hooks_went(
    recorder: TableRecorder,
) -> None:
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    first = bdk.Amount.from_sat(1)
    adapter.detach()
    second = bdk.Amount.from_sat(2)

    assert recorder.rows == {}
    del first, second
    assert recorder.rows == {}


def test_attaching_again_finds_what_lives(recorder: TableRecorder) -> None:
    amount = bdk.Amount.from_sat(1)
    for _ in range(3):
        adapter = UniffiAdapter(recorder)
        adapter.attach()
        list(adapter.scan())
        assert amount._handle in [row.data for row in recorder.live("Amount")]
        adapter.detach()


def test_faults_keep_the_first_and_count_the_rest() -> None:
    faults = Faults()
    first: Any = ValueError("first")
    faults.add(first)
    faults.add(ValueError("second"))

    assert faults.count == 2
    assert faults.take() is first
    assert faults.take() is None
    assert faults.count == 0
