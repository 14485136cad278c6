from __future__ import annotations

import copy
import gc
import itertools
import threading
from typing import Any

import bdkpython as bdk
import nostr_sdk
import pytest

from inspector.agent.adapters.uniffi import UniffiAdapter
from inspector.agent.adapters.uniffi.adapter import SLICE_ROWS
from inspector.agent.adapters.uniffi.foreign import entries
from inspector.errors import InspectorError
from inspector.vocabulary import Kind, Reference
from tests.unit.agent.adapters.table_recorder import Row, TableRecorder

RELEASED, DROPPED = Reference.RELEASED, Reference.DROPPED


def scan(adapter: UniffiAdapter) -> int:
    return max(adapter.scan(), default=0)


def only(rows: list[Row]) -> Row:
    assert len(rows) == 1
    return rows[0]


def test_a_constructed_and_a_lifted_object_have_a_row_each(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    mnemonic = bdk.Mnemonic(bdk.WordCount.WORDS12)
    amount = bdk.Amount.from_sat(5)

    row = only(recorder.live("Mnemonic"))
    assert (row.kind, row.born_now, row.data, row.address) == (
        Kind.UNIFFI,
        True,
        mnemonic._handle,
        mnemonic._handle - 16,
    )
    assert row.strong() == 1
    assert only(recorder.live("Amount")).data == amount._handle


def test_an_object_born_before_the_adapter_is_found_once(recorder: TableRecorder) -> None:
    early = bdk.Amount.from_sat(1)
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    try:
        assert not recorder.live("Amount")
        assert scan(adapter) >= 1
        scan(adapter)

        row = only([row for row in recorder.live("Amount") if row.data == early._handle])
        assert not row.born_now
        assert row.strong() == 1
    finally:
        adapter.detach()


def test_the_last_release_drops_and_an_earlier_one_does_not(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    amount = bdk.Amount.from_sat(7)
    shared = bdk.Amount._uniffi_make_instance(amount._uniffi_clone_handle())
    assert [row.strong() for row in recorder.live("Amount")] == [2, 2]
    assert len({row.address for row in recorder.live("Amount")}) == 1

    del amount
    assert recorder.ended("Amount") == [RELEASED]
    del shared
    assert recorder.ended("Amount") == [RELEASED, DROPPED]


def test_a_release_on_another_thread_ends_the_row(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    held = [bdk.Amount.from_sat(7)]
    thread = threading.Thread(target=held.clear)
    thread.start()
    thread.join()

    assert recorder.ended("Amount") == [DROPPED]


def test_a_copied_proxy_is_found_by_the_next_poll(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    amount = bdk.Amount.from_sat(7)
    duplicate = copy.copy(amount)
    adapter.poll()

    rows = recorder.live("Amount")
    assert [row.address for row in rows] == [rows[0].address] * 2
    assert rows[0].strong() == 1  # two proxies on one count: native refs of -1
    duplicate._handle = None  # or both would release the one reference
    del duplicate
    assert recorder.ended("Amount") == [RELEASED]


def test_a_constructor_that_fails_leaves_no_row(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    with pytest.raises(bdk.Bip39Error):
        bdk.Mnemonic.from_string("not a mnemonic")
    with pytest.raises(TypeError):
        bdk.Mnemonic()

    assert recorder.rows == {}


def test_a_subclass_of_the_program_is_a_row_of_the_generated_type(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    class Secret(bdk.Mnemonic):  # type: ignore[misc]
        def __init__(self, note: str) -> None:
            super().__init__(bdk.WordCount.WORDS12)
            self.note = note

    secret = Secret("mine")
    lifted = Secret.from_entropy(bytes(16))

    assert [row.data for row in recorder.live("Mnemonic")] == [secret._handle, lifted._handle]
    del secret, lifted
    assert recorder.ended("Mnemonic") == [DROPPED, DROPPED]


def test_a_subclass_instance_born_before_is_found(recorder: TableRecorder) -> None:
    class Coin(bdk.Amount):  # type: ignore[misc]
        pass

    coin = Coin.from_sat(3)
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    try:
        scan(adapter)
        assert coin._handle in [row.data for row in recorder.live("Amount")]
    finally:
        adapter.detach()


def test_a_proxy_whose_finaliser_was_overridden_ends_with_the_next_poll(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    class Silent(bdk.Mnemonic):  # type: ignore[misc]
        def __del__(self) -> None:
            pass

    silent = Silent(bdk.WordCount.WORDS12)
    adapter.poll()
    assert len(recorder.live("Mnemonic")) == 1

    del silent
    assert len(recorder.live("Mnemonic")) == 1
    adapter.poll()
    assert recorder.ended("Mnemonic") == [RELEASED]


def test_a_proxy_constructed_twice_has_one_live_row(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    mnemonic = bdk.Mnemonic(bdk.WordCount.WORDS12)
    mnemonic.__init__(bdk.WordCount.WORDS24)

    assert only(recorder.live("Mnemonic")).data == mnemonic._handle
    assert recorder.ended("Mnemonic") == [RELEASED]


def test_a_trait_shows_the_implementing_object(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    client = nostr_sdk.ClientBuilder().build()
    database = client.database()

    row = only(recorder.live("NostrDatabaseImpl"))
    assert (row.kind, row.data) == (Kind.UNIFFI_TRAIT, database._handle)
    assert row.address not in (0, database._handle - 16)
    assert row.strong() == 1
    shared = type(database)._uniffi_make_instance(database._uniffi_clone_handle())
    del database
    assert recorder.ended("NostrDatabaseImpl") == [RELEASED]
    del shared
    assert recorder.ended("NostrDatabaseImpl") == [RELEASED, DROPPED]


def test_nothing_is_recorded_at_level_off_and_found_afterwards(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    adapter.poll()
    recorder.off = True
    adapter.poll()
    amount = bdk.Amount.from_sat(9)
    gone = bdk.Amount.from_sat(10)
    assert not recorder.live("Amount")

    del gone
    recorder.off = False
    adapter.poll()
    assert only(recorder.live("Amount")).data == amount._handle


def test_a_scan_holds_no_proxy_and_yields_between_slices(recorder: TableRecorder) -> None:
    many = [bdk.Amount.from_sat(number) for number in range(2 * SLICE_ROWS + 1)]
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    try:
        found = list(adapter.scan())
        steps = [after - before for before, after in itertools.pairwise(found)]
        assert max(steps) <= SLICE_ROWS
        assert len(recorder.live("Amount")) == len(many)

        many.clear()
        assert not recorder.live("Amount")
    finally:
        adapter.detach()


def test_a_scan_given_up_half_way_is_made_up_by_the_next(recorder: TableRecorder) -> None:
    many = [bdk.Amount.from_sat(number) for number in range(2 * SLICE_ROWS)]
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    try:
        given_up = adapter.scan()
        while not recorder.live("Amount"):
            next(given_up)
        given_up.close()
        scan(adapter)
        assert len(recorder.live("Amount")) == len(many)
    finally:
        adapter.detach()


class Persister(bdk.Persistence):  # type: ignore[misc]
    """A trait of bdk that Python implements."""

    def initialize(self) -> Any:
        return bdk.ChangeSet()

    def persist(self, changeset: Any) -> None:
        pass


def test_a_python_object_held_by_rust_is_a_row_until_rust_lets_go(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    held = Persister()
    persister = bdk.Persister.custom(held)

    row = only(foreign(recorder))
    assert (row.kind, row.address, row.born_now) == (Kind.UNIFFI_FOREIGN, id(held), True)
    assert row.data % 2 == 1
    del persister
    assert not foreign(recorder)


def test_a_foreign_object_from_before_is_found_with_its_holders(recorder: TableRecorder) -> None:
    held = Persister()
    persister = bdk.Persister.custom(held)
    adapter = UniffiAdapter(recorder)
    adapter.attach()
    try:
        scan(adapter)
        assert only(foreign(recorder)).born_now is False
        number = next(
            number for number, row in recorder.rows.items() if row.kind == Kind.UNIFFI_FOREIGN
        )
        assert adapter.owns(number)
        assert adapter.close(number, although_held=True, preview=False).outcome == "refused"
        assert adapter.referrers(number)
        del persister
        assert not foreign(recorder)
    finally:
        adapter.detach()


def test_an_entry_that_a_look_meets_before_its_hook_has_run_has_one_row(
    adapter: UniffiAdapter, recorder: TableRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[None] = []

    def look_meanwhile(*words: Any) -> int:
        looks.append(adapter.poll())
        return 0

    monkeypatch.setattr(TableRecorder, "site", look_meanwhile)
    held = Persister()
    persister = bdk.Persister.custom(held)
    adapter.poll()
    assert looks
    assert only(foreign(recorder)).address == id(held)
    del persister
    assert not foreign(recorder)


def test_entries_that_come_and_go_behind_the_hooks_are_reconciled(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    from bdkpython.bdk import _UniffiFfiConverterTypePersistence as Converter

    held = Persister()
    Converter._handle_map._map[1_000_001] = held
    adapter.poll()
    assert only(foreign(recorder)).data == 1_000_001

    del Converter._handle_map._map[1_000_001]
    adapter.poll()
    assert not foreign(recorder)
    assert entries(Converter._handle_map) == {}


def test_a_row_names_the_python_objects_that_hold_its_proxy(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    amount = bdk.Amount.from_sat(4)
    holder = {"price": amount}
    number = next(iter(recorder.rows))

    assert adapter.owns(number)
    assert any("'price'" in sentence for sentence in adapter.referrers(number))
    assert not [
        sentence for sentence in adapter.referrers(number) if sentence.startswith("list of")
    ]
    verdict = adapter.close(number, although_held=False, preview=True)
    assert (verdict.outcome, verdict.reason) == ("refused", "Amount did not opt in to closing")
    holder.clear()
    del amount
    gc.collect()
    assert not adapter.owns(number)
    assert adapter.referrers(number) == []


def test_a_hook_that_fails_never_reaches_the_program(
    adapter: UniffiAdapter, recorder: TableRecorder
) -> None:
    recorder.failure = LookupError("no such thing")
    amount = bdk.Amount.from_sat(4)
    recorder.failure = None
    assert amount.to_sat() == 4

    with pytest.raises(InspectorError, match="following UniFFI failed: LookupError: no such thing"):
        adapter.poll()
    adapter.poll()


def foreign(recorder: TableRecorder) -> list[Row]:
    return [
        row
        for row in recorder.rows.values()
        if row.kind == Kind.UNIFFI_FOREIGN and row.state == Reference.LIVE
    ]
