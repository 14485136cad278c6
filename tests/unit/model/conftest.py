"""Snapshots of written segments."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspector.attach.segment import Segment
from inspector.model.build import Moment, build_snapshot
from inspector.model.snapshot import Snapshot, Target, TargetState
from inspector.session.source import SegmentSource
from tests.helpers.segments import ANCHOR_SECS, SegmentImage, write_segment

WHO = Target(
    pid=1,
    name="app.py",
    command="",
    runtime="",
    executable="",
    start_time=0,
    started_at=0.0,
    state=TargetState.LIVE,
)


@pytest.fixture
def snapshot_of(tmp_path: Path):
    """Write the image, read it with the native reader, build the snapshot."""

    def build(image: SegmentImage) -> Snapshot:
        with Segment(write_segment(tmp_path / "1-7.seg", image)) as segment:
            source = SegmentSource(segment)
            return build_snapshot(
                source.state(),
                source.names,
                source.codes,
                Moment(serial=1, taken_at=ANCHOR_SECS + 60.0, target=WHO),
            )

    return build
