"""Strategies of snapshots as files hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from inspector.model.fields import COUNT_LIMIT
from inspector.model.snapshot import (
    UNKNOWN,
    CallInFlight,
    Collection,
    Cost,
    Handles,
    Lost,
    Outer,
    Snapshot,
    Target,
    TargetState,
    ThreadRow,
    TypeRow,
    Vitals,
)
from inspector.model.stacks import Frame, Site
from inspector.plain_text import printable
from inspector.vocabulary import Level, Reference, Resource

times = st.one_of(
    st.just(float("nan")), st.floats(min_value=-1e10, max_value=1e11, allow_nan=False)
)


texts = st.text(max_size=20).map(printable)


counts = st.integers(UNKNOWN, COUNT_LIMIT - 1)


indexes = st.integers(0, 2**16 - 1)


collections = st.builds(Collection, counts, times, times, counts, counts, st.booleans())


frames = st.builds(Frame, texts, texts, st.integers(0, 10**6))


calls = st.builds(CallInFlight, st.integers(0, 2**64 - 1), times)


targets = st.builds(
    Target,
    counts,
    texts,
    texts,
    texts,
    texts,
    counts,
    times,
    st.sampled_from(TargetState),
    texts,
    times,
    st.sampled_from(Level),
    counts,
)


def tuples_of(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(rows, max_size=3).map(tuple)


def by_index(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[int, Any]]:
    return st.lists(rows, max_size=3).map(lambda found: {row.index: row for row in found})


@st.composite
def handle_tables(draw: st.DrawFn) -> Handles:
    rows = draw(st.integers(0, 5))

    def column(elements: st.SearchStrategy[Any], dtype: type) -> np.ndarray:
        return np.array(draw(st.lists(elements, min_size=rows, max_size=rows)), dtype=dtype)

    special: dict[str, Callable[[], np.ndarray]] = {
        "references": lambda: column(st.sampled_from(Reference), np.uint8),
        "resources": lambda: column(st.sampled_from(Resource), np.uint8),
        "changing": lambda: column(st.booleans(), np.bool_),
    }
    slots, rest = st.integers(0, 2**21 - 1), st.integers(0, 2**32 - 1)
    special["ids"] = lambda: column(
        st.builds(lambda slot, more: slot << 1 | more << 32, slots, rest), np.uint64
    )
    for name in ("addresses", "data"):
        special[name] = lambda: column(st.integers(0, 2**64 - 1), np.uint64)
    for name in ("created_at", "changed_at"):
        special[name] = lambda: column(times, np.float64)
    for name in (
        "strong",
        "weak",
        "in_flight",
        "proxies",
        "native_refs",
        "inner_strong",
        "outer_strong",
    ):
        special[name] = lambda: column(st.integers(1 - COUNT_LIMIT, COUNT_LIMIT - 1), np.int64)
    return Handles(
        **{
            f.name: special.get(f.name, lambda: column(indexes, np.int64))()
            for f in dataclasses.fields(Handles)
        }
    )


@st.composite
def vitals_values(draw: st.DrawFn) -> Vitals:
    created = np.array(draw(st.lists(counts, max_size=4)), dtype=np.int64)
    return Vitals(
        draw(times),
        draw(counts),
        draw(counts),
        created,
        created.copy(),
        draw(tuples_of(collections)),
    )


snapshots = st.builds(
    Snapshot,
    serial=counts,
    taken_at=times,
    target=targets,
    handles=handle_tables(),
    types=by_index(
        st.builds(
            TypeRow,
            indexes,
            texts,
            texts,
            texts,
            st.booleans(),
            texts,
            st.booleans(),
            *[counts] * 6,
            st.sampled_from(Outer),
        )
    ),
    threads=by_index(
        st.builds(
            ThreadRow,
            indexes,
            counts,
            texts,
            st.booleans(),
            times,
            times,
            counts,
            counts,
            tuples_of(calls),
            counts,
        )
    ),
    sites=by_index(st.builds(Site, indexes, tuples_of(frames), st.booleans())),
    vitals=vitals_values(),
    lost=st.builds(Lost, st.dictionaries(texts, counts, max_size=3)),
    cost=st.builds(Cost, times, times, counts, times),
    sampled_at=times,
    last_close_secs=times,
)
