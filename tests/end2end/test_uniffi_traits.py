"""The inner and the outer count of traits that Rust implements, step by step, in a real process."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from inspector.model.equation import equation_of
from inspector.model.snapshot import UNKNOWN, Outer, Snapshot
from inspector.ui.panes.detail.count_bar import sentence
from inspector.vocabulary import Level, Reference
from tests.helpers.command_line import run_command
from tests.helpers.targets import start_target
from tests.helpers.watching import ended, watched

Counts = tuple[int, int, int, int, int]
DATABASE = "NostrDatabaseImpl"
STORE = "StoreImpl"
ONE = (1, 1, 1, 1, 0)
"""A trait with one proxy and nothing else."""


def counts(type_name: str) -> Callable[[Snapshot], list[Counts]]:
    """Looks at the live rows of a trait.

    ``(inner, outer, strong, proxies, native_refs)`` of each, sorted.
    """

    def look(snapshot: Snapshot) -> list[Counts]:
        handles = snapshot.handles
        columns = (
            handles.inner_strong,
            handles.outer_strong,
            handles.strong,
            handles.proxies,
            handles.native_refs,
        )
        rows = rows_of(snapshot, type_name)
        return sorted(zip(*(column[rows].tolist() for column in columns), strict=True))

    return look


def rows_of(snapshot: Snapshot, type_name: str) -> list[int]:
    """Numbers of the live rows of a type."""
    handles, types = snapshot.handles, snapshot.types
    live = np.flatnonzero(handles.references == Reference.LIVE).tolist()
    return [row for row in live if types[int(handles.types[row])].name == type_name]


def sentences(snapshot: Snapshot, type_name: str) -> list[str]:
    """The window's text for the counts of each row."""
    types = snapshot.types
    return [
        sentence(equation_of(snapshot.handles, row, types[int(snapshot.handles.types[row])]))
        for row in rows_of(snapshot, type_name)
    ]


def test_a_trait_in_an_arc_has_exact_inner_and_outer_counts_at_each_step() -> None:
    with start_target("trait_steps", "nostr") as target, watched(target.ready["segment"]) as watch:
        assert target.ask("trait d") == DATABASE
        watch.until(counts(DATABASE), [ONE])

        target.ask("hold b d")
        watch.until(counts(DATABASE), [(2, 1, 2, 1, 1)])

        target.ask("lower_again e d")
        watch.until(counts(DATABASE), [(3, 1, 3, 2, 1)] * 2)

        target.ask("leak_clones e 2")
        watch.until(counts(DATABASE), [(3, 1, 5, 2, 3), (3, 3, 5, 2, 3)])

        target.ask("share f d")
        watch.until(counts(DATABASE), [(3, 2, 6, 3, 3), (3, 2, 6, 3, 3), (3, 3, 6, 3, 3)])

        target.ask("return_clones")
        watch.until(counts(DATABASE), [(3, 1, 4, 3, 1), (3, 2, 4, 3, 1), (3, 2, 4, 3, 1)])

        target.ask("drop e")
        watch.until(counts(DATABASE), [(2, 2, 3, 2, 1)] * 2)
        target.ask("drop d")
        watch.until(counts(DATABASE), [(2, 1, 2, 1, 1)])
        target.ask("drop b")
        watch.until(counts(DATABASE), [ONE])
        target.ask("drop f")
        watch.until(counts(DATABASE), [])
        watch.until(lambda snapshot: ended(DATABASE)(snapshot).count("DROPPED"), 1)
        target.ask("drop client")
        watch.until(lambda snapshot: snapshot.live_count(), 0)
        assert target.finish() == 0
        assert target.errors() == ""


def test_a_leaked_clone_of_a_traits_handle_is_told_from_what_native_code_holds() -> None:
    with start_target("trait_steps", "nostr") as target, watched(target.ready["segment"]) as watch:
        target.ask("trait d")
        target.ask("hold b d")
        target.ask("leak_clones d 1")
        snapshot = watch.until(counts(DATABASE), [(2, 2, 3, 1, 2)])
        assert sentences(snapshot, DATABASE) == [
            ("strong 3 = 1 proxy + 2 native refs; inner 2, outer 2 (1 clone of the handle)")
        ]
        target.ask("return_clones")
        snapshot = watch.until(counts(DATABASE), [(2, 1, 2, 1, 1)])
        assert sentences(snapshot, DATABASE) == [
            ("strong 2 = 1 proxy + 1 native ref; inner 2, outer 1")
        ]


def test_handles_prints_both_counts_of_a_trait() -> None:
    with start_target("trait_steps", "nostr") as target:
        target.ask("trait d")
        target.ask("leak_clones d 3")
        printed = run_command("handles", target.pid, "--json", "--type", DATABASE)
        (row,) = printed.json["handles"]
        told = [
            row[name]
            for name in (
                "strong",
                "weak",
                "proxies",
                "native_refs",
                "inner_strong",
                "outer_strong",
                "outer",
            )
        ]
        assert told == [4, 0, 1, 3, 1, 4, "arc"]
        (client,) = run_command("handles", target.pid, "--json", "--filter", 'type:"Client"').json[
            "handles"
        ]
        assert [client[name] for name in ("strong", "inner_strong", "outer_strong", "outer")] == [
            1,
            None,
            None,
            None,
        ]


def test_calls_of_a_trait_are_in_flight_and_in_neither_of_its_counts() -> None:
    with start_target("trait_steps", "nostr") as target, watched(target.ready["segment"]) as watch:
        target.ask("trait d")
        watch.until(counts(DATABASE), [ONE])
        target.ask("call d")
        watch.until(
            lambda snapshot: (counts(DATABASE)(snapshot), in_flight(snapshot) > 0), ([ONE], True)
        )
        target.ask("rest")
        watch.until(lambda snapshot: (counts(DATABASE)(snapshot), in_flight(snapshot)), ([ONE], 0))


def in_flight(snapshot: Snapshot) -> int:
    """Calls of the one live database."""
    return max(snapshot.handles.in_flight[rows_of(snapshot, DATABASE)].tolist(), default=0)


def test_a_trait_born_before_the_agent_has_both_counts_and_its_detachment_leaves_it_alone() -> None:
    with start_target("trait_steps", "nostr", "none") as target:
        target.ask("trait d")
        target.ask("lower_again e d")
        target.ask("leak_clones d 1")
        with watched(target.ask("start count")) as watch:
            watch.until(counts(DATABASE), [(2, 1, 3, 2, 1), (2, 2, 3, 2, 1)])
            watch.until(lambda _: watch.session.capabilities.levels, True)
            for level in (Level.OFF, Level.STACKS):
                assert watch.session.set_level(level).result(60) is level
                target.ask("share f d")
                target.ask("drop f")
                watch.until(counts(DATABASE), [(2, 1, 3, 2, 1), (2, 2, 3, 2, 1)])
            target.ask("stop")
        target.ask("return_clones")
        for name in "de":
            target.ask(f"drop {name}")
        assert target.finish() == 0
        assert target.errors() == ""


def test_a_trait_in_a_box_has_an_inner_count_and_no_outer_one() -> None:
    with start_target("trait_steps", "made") as target, watched(target.ready["segment"]) as watch:
        assert target.ask("trait d") == STORE
        snapshot = watch.until(counts(STORE), [(1, UNKNOWN, 1, 1, 0)])
        assert [row.outer for row in snapshot.types.values() if row.name == STORE] == [Outer.BOX]
        assert sentences(snapshot, STORE) == ["strong 1 = 1 proxy; inner 1, outer is a box"]

        target.ask("share e d")
        watch.until(counts(STORE), [(2, UNKNOWN, 2, 2, 0)] * 2)
        target.ask("leak_clones d 2")
        watch.until(counts(STORE), [(4, UNKNOWN, 4, 2, 2)] * 2)
        printed = run_command("handles", target.pid, "--json")
        assert [
            [row[name] for name in ("inner_strong", "outer_strong", "outer")]
            for row in printed.json["handles"]
        ] == [[4, None, "box"]] * 2

        target.ask("return_clones")
        watch.until(counts(STORE), [(2, UNKNOWN, 2, 2, 0)] * 2)
        for name in "de":
            target.ask(f"drop {name}")
        watch.until(lambda snapshot: ended(STORE)(snapshot).count("DROPPED"), 1)
        assert target.finish() == 0
        assert target.errors() == ""
