"""Snapshots with every state, unknown and kind of name, for fixed stored and printed forms."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

from inspector.model.snapshot import UNKNOWN, Outer, Snapshot, ThreadRow
from inspector.vocabulary import Reference, Resource
from tests.helpers.snapshots import NO_TIME, T0, THREAD_NAMES, Row, World, snapshot_of

_STATES = [(reference, resource) for reference in list(Reference)[1:] for resource in Resource]


def varied_snapshot() -> Snapshot:
    """A row of each pair of states, then rows with each value unknown, of traits, without a
    thread, a stack or an address."""
    world = World(
        types=("TodoList", "TodoItem", "Journal", "Shape", "Boxed"),
        threads=(*THREAD_NAMES, "unnamed"),
        traits=_TRAITS,
    )
    snapshot = snapshot_of(
        [*_rows_of_states(), *_unusual_rows()], world=world, lost={"events": 3, "misuse_stale": 1}
    )
    threads = dict(snapshot.threads)
    unnamed: ThreadRow = dataclasses.replace(threads[len(world.threads)], name="")
    return dataclasses.replace(
        snapshot, threads=MappingProxyType(threads | {unnamed.index: unnamed}), notes=("A note",)
    )


_TRAITS = MappingProxyType({"Shape": Outer.ARC, "Boxed": Outer.BOX})


def _rows_of_states() -> list[Row]:
    types, owners = ("TodoList", "TodoItem", "Journal"), ("", "worker-1", "worker-2")
    return [
        Row(
            slot,
            types[slot % 3],
            generation=1 + slot % 4,
            foreign=slot % 7 == 0,
            reference=reference,
            resource=resource,
            strong=slot % 5,
            weak=slot % 3,
            in_flight=slot % 2,
            proxies=slot % 4,
            native_refs=slot % 5 - slot % 4,
            age_secs=slot * 17.25,
            changed_secs=slot * 3.5,
            thread=THREAD_NAMES[slot % 4],
            owner=owners[slot % 3],
            requester=owners[(slot + 1) % 3],
            site=slot % 4,
            last_site=slot % 3,
            changing=slot % 11 == 0,
        )
        for slot, (reference, resource) in enumerate(_STATES, 1)
    ]


def _unusual_rows() -> list[Row]:
    return [
        Row(101, strong=UNKNOWN, weak=UNKNOWN, in_flight=UNKNOWN, native_refs=-1),
        Row(102, strong=3, proxies=UNKNOWN, native_refs=-1),
        Row(103, age_secs=NO_TIME, changed_secs=NO_TIME),
        Row(104, "Shape", strong=4, inner_strong=3, outer_strong=2, native_refs=3),
        Row(105, "Boxed", strong=2, inner_strong=2, native_refs=1),
        Row(106, thread="unnamed", owner="unnamed"),
        Row(107, strong=1_234_567, proxies=1_000, native_refs=1_233_567, age_secs=1e6),
        Row(108, reference=Reference.DROPPED, age_secs=NO_TIME, changed_secs=1),
        Row(109, thread="", site=0, age_secs=T0 / 1e6),
    ]
