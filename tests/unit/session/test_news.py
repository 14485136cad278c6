"""A reading of a segment is news when something happened, not when a clock of the writer moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inspector.attach.segment import Segment
from inspector.model.build import Moment, build_snapshot
from inspector.model.snapshot import TargetState
from inspector.session.liveness import Verdict
from inspector.session.news import CLOCKS, News, renewed
from inspector.session.source import SegmentSource
from inspector.session.target import target_of
from inspector.vocabulary import Resource
from tests.helpers.segments import ANCHOR_SECS, TICKS_PER_SEC, SegmentImage, at, write_segment

JOURNAL = {"address": 64, "strong": 1}
IMAGE = SegmentImage(
    header={"ticks_per_sec": 1_000_000},
    types=[{"name": b"Journal"}],
    threads=[{"name": b"main"}],
    handles=[JOURNAL],
)


class Reader:
    """Reads one segment again and again, as the pump does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        write_segment(path, IMAGE)
        self._segment = Segment(path)
        self.source = SegmentSource(self._segment)
        self._news = News()

    def write(self, image: SegmentImage) -> None:
        """Change the file in place, as a target does."""
        with self._path.open("r+b") as file:
            file.write(image.to_bytes())

    def has_news(self) -> tuple[bool, bool]:
        """News in the counters, and in the whole state."""
        return (
            self._news.in_counters(self.source.vitals()),
            self._news.in_state(self.source.state()),
        )

    def settle(self) -> None:
        """Read until nothing is new."""
        self.has_news()
        self.has_news()

    def close(self) -> None:
        self._segment.close()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path / "1-7.seg")
    yield made
    made.close()


def changed(**parts: Any) -> SegmentImage:
    return replace(IMAGE, **parts)


def test_the_first_reading_is_news(reader: Reader) -> None:
    assert reader.has_news() == (True, True)


def test_a_segment_that_is_the_same_is_no_news(reader: Reader) -> None:
    reader.settle()
    assert reader.has_news() == (False, False)


@pytest.mark.parametrize("field", CLOCKS)
def test_the_writers_clocks_are_no_news(reader: Reader, field: str) -> None:
    reader.settle()
    reader.write(changed(header={**IMAGE.header, field: 77}))
    assert reader.has_news() == (False, False)


def test_a_finer_measurement_of_the_clock_is_no_news_but_another_clock_is(reader: Reader) -> None:
    reader.settle()
    reader.write(changed(header={"ticks_per_sec": 1_000_001}))
    assert reader.has_news() == (False, False)
    reader.write(changed(header={"ticks_per_sec": 1_001_000}))
    assert reader.has_news() == (True, True)


@pytest.mark.parametrize(
    "image",
    [
        changed(header={**IMAGE.header, "level": 1}),
        changed(header={**IMAGE.header, "lost": {"events": 1}}),
        changed(header={**IMAGE.header, "gc_logged": 1}),
        changed(types=[{"name": b"Journal", "shards": [{"created": 1}]}]),
    ],
    ids=["level", "loss", "collection", "birth"],
)
def test_a_change_of_the_counters_is_news_for_both(reader: Reader, image: SegmentImage) -> None:
    reader.settle()
    reader.write(image)
    assert reader.has_news() == (True, True)
    reader.settle()
    assert reader.has_news() == (False, False)


@pytest.mark.parametrize(
    "image",
    [
        changed(handles=[{**JOURNAL, "strong": 2}]),
        changed(handles=[{**JOURNAL, "resource_state": Resource.OPEN}]),
        changed(threads=[{"name": b"main", "depth": 1}]),
    ],
    ids=["count", "state", "call"],
)
def test_a_change_that_no_counter_shows_is_news_of_the_state(
    reader: Reader, image: SegmentImage
) -> None:
    reader.settle()
    reader.write(image)
    assert reader.has_news() == (False, True)


def test_a_renewed_snapshot_shares_the_rows_and_has_the_newer_times(reader: Reader) -> None:
    def moment(serial: int, raw: Any) -> Moment:
        target = target_of(raw.vitals, Verdict(TargetState.LIVE), 5.0)
        return Moment(serial, 100.0 + serial, target, cost_share=serial / 100)

    raw = reader.source.state()
    first = build_snapshot(raw, reader.source.names, reader.source.codes, moment(1, raw))
    sampled_at = at(3 * 1_000_000 / TICKS_PER_SEC)
    sampled = {**IMAGE.header, "sampled_at_ticks": sampled_at, "sample_nanos": 7}
    reader.write(changed(header=sampled))
    raw = reader.source.state()
    second = renewed(first, raw, moment(2, raw))
    assert second.handles is first.handles
    assert second.threads is first.threads
    whole = build_snapshot(raw, reader.source.names, reader.source.codes, moment(2, raw))
    assert (second.serial, second.taken_at, second.sampled_at) == (
        whole.serial,
        whole.taken_at,
        whole.sampled_at,
    )
    assert (second.cost, second.vitals.at) == (whole.cost, whole.vitals.at)
    assert second.sampled_at == ANCHOR_SECS + 3
