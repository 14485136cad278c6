from __future__ import annotations

from inspector.model.equation import equation_of, with_keepers
from inspector.model.native_calls import keepers_of
from tests.helpers.tables import read_table
from tests.helpers.targets import start_target
from tests.helpers.watching import counts, ended, watched

ONE = (1, 0, 1, 0)
"""An object with one proxy and nothing else: strong, weak, proxies, native refs."""
DATABASE = "NostrDatabaseImpl"


def test_a_known_sequence_has_exact_counts_at_each_step() -> None:
    with start_target("nostr_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("client c")
        watch.until(counts("Client"), [ONE])
        watch.until(ended("ClientBuilder"), ["DROPPED"])

        target.ask("database d c")
        watch.until(counts(DATABASE), [ONE])

        target.ask("builder_over b d")
        watch.until(counts(DATABASE), [(2, 0, 1, 1)])

        target.ask("share d2 d")
        watch.until(counts(DATABASE), [(3, 0, 2, 1), (3, 0, 2, 1)])

        target.ask("drop d")
        watch.until(counts(DATABASE), [(2, 0, 1, 1)])

        target.ask("drop b")
        watch.until(counts(DATABASE), [ONE])

        target.ask("drop d2")
        watch.until(counts(DATABASE), [])
        target.ask("drop c")
        snapshot = watch.until(ended("Client"), ["DROPPED"])
        assert snapshot.live_count() == 0
        assert target.finish() == 0
        assert target.errors() == ""


def test_clones_of_a_traits_handle_that_nobody_releases_show_as_native_references() -> None:
    with start_target("nostr_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("client c")
        target.ask("database d c")
        target.ask("leak_clones d 3")
        watch.until(counts(DATABASE), [(4, 0, 1, 3)])
        target.ask("return_clones d")
        watch.until(counts(DATABASE), [ONE])


def test_a_leak_made_on_purpose_is_found_in_the_table() -> None:
    with start_target("nostr_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("search f")
        assert target.ask("fail_to_lower f 10") == 10
        watch.until(counts("Filter"), [(11, 0, 1, 10)])


def test_a_copied_trait_proxy_shows_a_negative_native_count() -> None:
    with start_target("nostr_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("client c")
        target.ask("database d c")
        target.ask("duplicate e d")
        watch.until(counts(DATABASE), [(1, 0, 2, -1), (1, 0, 2, -1)])
        target.ask("disarm e")
        target.ask("drop e")
        watch.until(counts(DATABASE), [ONE])


def test_a_python_trait_held_by_rust_is_a_row_until_rust_lets_go() -> None:
    with start_target("nostr_steps") as target:
        target.ask("policy p")
        assert not read_table(target.ready["segment"]).live("Policy")

        target.ask("builder_with_policy b p")
        (row,) = read_table(target.ready["segment"]).live("Policy")
        assert row.number & 1
        assert row.data & 1
        assert row.created[0].endswith("builder_with_policy")

        target.ask("drop b")
        assert not read_table(target.ready["segment"]).live("Policy")
        target.ask("drop p")


def test_results_of_calls_have_rows_only_as_long_as_their_proxies() -> None:
    with start_target("nostr_steps") as target:
        assert len(target.ask("keys k")) == 64
        table = read_table(target.ready["segment"])

        assert len(table.live("Keys")) == 1
        assert not table.live("PublicKey")
        assert [row.type for row in table.rows if not row.is_live] == ["PublicKey"]


def test_an_awaited_call_leaves_the_counts_as_they_were() -> None:
    with start_target("nostr_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("client c")
        watch.until(counts("Client"), [ONE])
        for _ in range(3):
            assert target.ask("relays c") == 0
        watch.until(counts("Client"), [ONE])
        assert target.errors() == ""


def test_a_pending_call_is_named_as_what_keeps_its_object_alive() -> None:
    with start_target("nostr_steps") as target, watched(target.ready["segment"]) as watch:
        target.ask("client c")
        target.ask("connect pending c")
        snapshot = watch.until(counts("Client"), [(2, 0, 1, 1)])
        row = next(
            row
            for row in range(len(snapshot.handles))
            if snapshot.types[int(snapshot.handles.types[row])].name == "Client"
        )
        keepers = keepers_of(snapshot, int(snapshot.handles.ids[row]))
        assert [keeper.text() for keeper in keepers] == ["pending call Client.try_connect"]
        assert keepers[0].since > snapshot.target.started_at
        equation = with_keepers(equation_of(snapshot.handles, row), keepers)
        assert (equation.named, equation.native, equation.unexplained) == (1, 0, 0)
        target.ask("cancel pending")
        target.ask("end_loop")
        snapshot = watch.until(ended("Client.try_connect"), ["RELEASED"])
        assert not keepers_of(snapshot, int(snapshot.handles.ids[row]))
