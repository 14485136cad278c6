from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inspector.errors import ControlError, SegmentError
from inspector.model.snapshot import TargetState
from inspector.session.picture import PictureSession
from inspector.session.postmortem import postmortem_session
from inspector.vocabulary import Level
from inspector.wire.schema import Ending
from tests.helpers.segments import ANCHOR_SECS, SegmentImage, at, write_segment
from tests.helpers.snapshots import Row, snapshot_of, with_state

LEFT = SegmentImage(
    header={"heartbeat_ticks": at(50), "pid": 2**31 - 7},
    types=[{"name": b"Journal"}],
    handles=[{"created_at_ticks": at(10), "changed_at_ticks": at(52.5)}],
)


def test_what_a_killed_target_left_is_shown_as_post_mortem_with_its_rows(tmp_path: Path):
    latest = postmortem_session(write_segment(tmp_path / "1-7.seg", LEFT)).latest
    assert latest.target.state is TargetState.POST_MORTEM
    assert latest.target.reason == "it was killed or crashed"
    assert latest.target.name == "app.py"
    assert len(latest.handles) == 1


def test_the_state_is_as_of_the_last_moment_that_was_written_down(tmp_path: Path):
    latest = postmortem_session(write_segment(tmp_path / "1-7.seg", LEFT)).latest
    assert latest.taken_at == ANCHOR_SECS + 52.5


def test_a_target_that_said_good_bye_has_ended(tmp_path: Path):
    image = replace(LEFT, header={**LEFT.header, "ending": Ending.EXITED, "ended_at_ticks": at(99)})
    latest = postmortem_session(write_segment(tmp_path / "1-7.seg", image)).latest
    assert (latest.target.state, latest.taken_at) == (TargetState.ENDED, ANCHOR_SECS + 99)


def test_a_damaged_segment_opens_no_session(tmp_path: Path):
    path = tmp_path / "1-7.seg"
    path.write_bytes(b"ARCISEG1" + bytes(100))
    with pytest.raises(SegmentError):
        postmortem_session(path)


def test_nothing_can_be_asked_of_a_dead_target_and_the_reason_says_why(tmp_path: Path):
    session = postmortem_session(write_segment(tmp_path / "1-7.seg", LEFT))
    assert not session.capabilities.act
    assert session.capabilities.reason == "the process is gone: it was killed or crashed"
    for asked in (
        session.force_gc(),
        session.set_level(Level.STACKS),
        session.preview_close([1]),
        session.close_handles([1]),
    ):
        with pytest.raises(ControlError, match="the process is gone"):
            asked.result(0)


def test_a_recording_says_how_the_target_was_doing():
    saved = with_state(snapshot_of([Row(1)]), TargetState.HUNG, "it is stopped by a signal")
    target = PictureSession(saved).latest.target
    assert target.state is TargetState.RECORDED
    assert target.reason == "when it was saved the target was hung: it is stopped by a signal"
    assert target.state_since == saved.taken_at


def test_a_recording_of_a_recording_stays_what_it_is():
    once = PictureSession(snapshot_of([Row(1)])).latest
    assert PictureSession(once).latest.target == once.target


def test_a_static_session_can_be_used_like_any_other():
    session = PictureSession(snapshot_of([Row(1)]))
    leave = session.subscribe(object())  # type: ignore[arg-type]  # never told anything
    session.set_interval(snapshot_secs=1.0, vitals_secs=1.0)
    leave()
    session.end()
    assert session.latest is not None
