"""Session files: a recording is read back whole, and a damaged file names its readable part."""

from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from inspector.errors import FileFormatError
from inspector.model.events import EventBatch, EventCursor, joined
from inspector.model.private_texts import PARTS
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.session_file import (
    HEAD,
    MAGIC,
    RECORD,
    delta_record,
    file_start,
    json_record,
    record,
    snapshot_record,
    vitals_record,
)
from inspector.model.snapshot import Snapshot, TargetState
from inspector.session.private_facts import private_facts
from inspector.session.protocol import Replay
from inspector.session.recorder import DELTAS_A_WHOLE, WAITING_SNAPSHOTS, Recorded, SessionRecorder
from inspector.session.replay import ReplaySession
from inspector.session.session_file import SessionFile
from inspector.vocabulary import Reference
from tests.helpers.equality import same
from tests.helpers.events import events_of
from tests.helpers.fake_session import FakeSession
from tests.helpers.snapshots import T0, Row, big_snapshot, make_vitals, snapshot_of, with_state

WAIT_SECS = 20.0


class EventfulSession(FakeSession):
    """Something happens before each question about events."""

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        at = T0 + len(self.events) + 1
        self.events = joined([self.events, events_of((at, "create", 2))])
        return super().read_events(after)


def moments(count: int) -> list[Snapshot]:
    """Snapshots a second apart: one row is born with each, and one dies."""
    return [
        snapshot_of(
            [
                Row(slot, reference=Reference.LIVE if slot > at else Reference.DROPPED)
                for slot in range(1, at + 3)
            ],
            at=T0 + at,
            serial=at + 1,
        )
        for at in range(count)
    ]


def record_of(path: Path, snapshots: list[Snapshot], kept: Kept = NOTHING_KEPT) -> Path:
    session = EventfulSession()
    recorder = SessionRecorder(session, path, every_secs=0.5, kept=kept)
    for snapshot in snapshots:
        session.publish(snapshot)
        session.publish_vitals(snapshot.vitals)
        # the recorder's thread writes as fast as it can
        while recorder.recorded.snapshots < snapshot.serial:
            assert not recorder.recorded.failure
    recorder.mark(T0 + 1, "first round")
    recorded = recorder.stop()
    assert (recorded.snapshots, recorded.left_out, recorded.failure) == (len(snapshots), 0, "")
    assert recorded.size_bytes == path.stat().st_size
    return path


def test_every_recorded_snapshot_comes_back(tmp_path: Path) -> None:
    wanted = moments(DELTAS_A_WHOLE + 10)
    redactor = Redactor(private_facts(wanted[0].target.pid))
    with SessionFile(record_of(tmp_path / "a.arcs", wanted)) as file:
        assert list(file.moments) == [each.taken_at for each in wanted]
        for number in (0, 7, 3, DELTAS_A_WHOLE, DELTAS_A_WHOLE + 9, 1):
            assert same(file.snapshot(number), redactor.snapshot(wanted[number]))
        assert file.trouble == ""


def test_a_file_that_keeps_all_parts_gives_the_snapshots_back_as_they_were(tmp_path: Path) -> None:
    wanted = moments(2)
    everything = Kept(frozenset(part.key for part in PARTS))
    with SessionFile(record_of(tmp_path / "a.arcs", wanted, everything)) as file:
        assert same(file.snapshot(1), wanted[1])


def test_counters_marks_and_events_come_back(tmp_path: Path) -> None:
    with SessionFile(record_of(tmp_path / "a.arcs", moments(3))) as file:
        assert [each.at for each in file.vitals] == [T0, T0 + 1, T0 + 2]
        assert file.marks == ((T0 + 1, "first round"),)
        assert list(file.events.at) == [T0 + 1, T0 + 2, T0 + 3]


def test_nobody_else_may_read_a_file_that_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "a.arcs"
    path.write_bytes(b"older")
    path.chmod(0o644)
    SessionRecorder(EventfulSession(), path, may_replace=True).stop()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    assert stat.S_IMODE(record_of(tmp_path / "a.arcs", moments(1)).stat().st_mode) == 0o600


def test_snapshots_that_come_too_soon_are_not_recorded_but_a_new_state_is(tmp_path: Path) -> None:
    session = EventfulSession()
    recorder = SessionRecorder(session, tmp_path / "a.arcs", every_secs=0.5)
    for at in (0.0, 0.1, 0.2):
        session.publish(snapshot_of([Row(1)], at=T0 + at))
    session.publish(with_state(snapshot_of([Row(1)], at=T0 + 0.3), TargetState.ENDED))
    assert recorder.stop().snapshots == 2


class SlowSession(FakeSession):
    """Its events arrive when the test says so.

    Until then the recorder's thread writes nothing more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def read_events(self, after: EventCursor | None = None) -> Future[EventBatch]:
        self.asked.set()
        assert self.may_answer.wait(WAIT_SECS)
        return super().read_events(after)


def recorded_too_slowly(path: Path, *, may_replace: bool = False) -> Recorded:
    """One snapshot is being written while as many come as may wait, and three more."""
    session = SlowSession()
    recorder = SessionRecorder(session, path, every_secs=0.5, may_replace=may_replace)
    session.publish(snapshot_of([Row(1)], at=T0))
    assert session.asked.wait(WAIT_SECS)
    for second in range(1, WAITING_SNAPSHOTS + 4):
        session.publish(snapshot_of([Row(1)], at=T0 + second, serial=second + 1))
    assert recorder.recorded.left_out == 3
    session.may_answer.set()
    return recorder.stop()


def test_snapshots_that_come_faster_than_they_are_written_are_left_out_and_counted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.arcs"
    recorded = recorded_too_slowly(path)
    assert (recorded.snapshots, recorded.left_out, recorded.failure) == (
        1 + WAITING_SNAPSHOTS,
        3,
        "",
    )
    with SessionFile(path) as file:
        assert "3 snapshots came faster than they could be written" in file.trouble


def test_snapshots_that_waited_when_the_disk_was_full_count_as_left_out() -> None:
    assert (
        recorded_too_slowly(Path("/dev/full"), may_replace=True).left_out == 3 + WAITING_SNAPSHOTS
    )


def test_a_full_disk_stops_the_recording_and_says_so() -> None:
    session = EventfulSession()
    recorder = SessionRecorder(session, Path("/dev/full"), may_replace=True)
    session.publish(big_snapshot(2000))
    assert "No space left" in recorder.stop().failure


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="No such file or directory"):
        SessionRecorder(EventfulSession(), tmp_path / "no" / "a.arcs")


@pytest.mark.parametrize("lost", [1, 20, 200])
def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path, lost: int) -> None:
    path = record_of(tmp_path / "a.arcs", moments(10))
    os.truncate(path, path.stat().st_size - lost)
    with SessionFile(path) as file:
        assert len(file.moments) >= 8
        assert "no whole record" in file.trouble
        assert file.snapshot(len(file.moments) - 1).taken_at == file.moments[-1]


def test_a_damaged_record_costs_what_follows_on_it_and_no_more(tmp_path: Path) -> None:
    states = moments(4)
    damaged = bytearray(delta_record(states[1], np.empty(0, np.uint64)))
    damaged[-1] ^= 1
    whole = [
        file_start(),
        snapshot_record(states[0]),
        bytes(damaged),
        delta_record(states[2], np.empty(0, np.uint64)),
        snapshot_record(states[3]),
    ]
    path = tmp_path / "a.arcs"
    path.write_bytes(b"".join(whole))
    with SessionFile(path) as file:
        assert list(file.moments) == [T0, T0 + 3]
        assert "2 damaged records left out" in file.trouble
        assert same(file.snapshot(1), states[3])


def test_records_of_an_unknown_kind_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.arcs"
    path.write_bytes(
        file_start()
        + record(b"NEWS", b"what a later version adds")
        + snapshot_record(snapshot_of([Row(1)]))
    )
    with SessionFile(path) as file:
        assert len(file.moments) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a session file"),
        (b"something else altogether", "not a session file"),
        (HEAD.pack(MAGIC, 99, 0), "version 99"),
        (file_start(), "nothing was recorded|no snapshot"),
        (file_start() + b"rubbish" * 9, "no snapshot that can be read"),
        (file_start() + RECORD.pack(b"SNAP", 1 << 31, 0), "no snapshot that can be read"),
        (file_start() + record(b"SNAP", b""), "no snapshot that can be read"),
        (file_start() + record(b"DELT", b"\0" * 40), "no snapshot that can be read"),
        (file_start() + json_record(b"MARK", {"at": "x", "name": 3}), "1 damaged record"),
        (file_start() + record(b"VITL", b"\xff\xff\xff\xff"), "1 damaged record"),
        (file_start() + record(b"EVNT", b"\2\0\0\0[]"), "1 damaged record"),
    ],
)
def test_what_is_no_session_file_is_refused_in_one_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "a.arcs"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=said) as caught:
        ReplaySession(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_state_that_does_not_decode_is_refused_when_it_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.arcs"
    path.write_bytes(file_start() + record(b"SNAP", b"\0" * 8 + b"no snapshot"))
    with pytest.raises(FileFormatError, match="not a snapshot"):
        ReplaySession(path)


def test_counters_of_types_that_come_later_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.arcs"
    readings = [make_vitals(T0, [1], [0]), make_vitals(T0 + 1, [1, 5], [0, 2])]
    path.write_bytes(
        file_start() + vitals_record(readings) + snapshot_record(snapshot_of([Row(1)]))
    )
    with SessionFile(path) as file:
        assert [list(each.created) for each in file.vitals] == [[0, 1], [0, 1, 5]]


def test_a_replay_begins_at_the_end_and_goes_where_it_is_asked(tmp_path: Path) -> None:
    session = ReplaySession(record_of(tmp_path / "a.arcs", moments(5)))
    listener = Heard()
    session.subscribe(listener)
    assert isinstance(session, Replay)
    assert (session.latest.taken_at, session.latest.target.state) == (T0 + 4, TargetState.RECORDED)
    session.seek(T0 + 1.7)
    assert session.state_at(T0 + 3).result(WAIT_SECS).taken_at == T0 + 3
    assert [each.taken_at for each in listener.snapshots] == [T0 + 1]
    assert session.latest.serial > 1
    session.seek(0.0)
    session.state_at(T0).result(WAIT_SECS)
    assert session.latest.taken_at == T0
    assert not session.capabilities.act
    session.end()
    with pytest.raises(Exception, match="closed"):
        session.state_at(T0).result(WAIT_SECS)


class Heard:
    """Keeps its notifications."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    def on_snapshot(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)

    def on_vitals(self, vitals: object) -> None:
        """Not used."""
