"""The last minutes of a recording: what stays is readable, and what went is counted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from inspector.errors import FileFormatError
from inspector.session.recorder import DELTAS_A_WHOLE, SessionRecorder
from inspector.session.ring import RingFile
from inspector.session.session_file import SessionFile
from tests.helpers.fake_session import FakeSession
from tests.helpers.snapshots import T0, Row, snapshot_of

WAIT_SECS = 60.0


def recorded(ring: RingFile, seconds: int, path: Path) -> None:
    """Record a snapshot a second, and save in the end."""
    session = FakeSession()
    recorder = SessionRecorder(session, path, sink=ring)
    for second in range(seconds):
        rows = [Row(slot) for slot in range(1, 3 + second % 5)]
        session.publish(snapshot_of(rows, at=T0 + second, serial=second + 1))
        taken = threading.Event()
        recorder.then(taken.set)
        assert taken.wait(WAIT_SECS)
    recorder.mark(T0 + seconds, "now")
    recorder.then(lambda: ring.save(path))
    recorder.stop()


@pytest.mark.parametrize(("seconds", "keep"), [(20, 60), (100, 60), (300, 60)])
def test_the_last_seconds_are_a_session_file(tmp_path: Path, seconds: int, keep: int) -> None:
    ring, path = RingFile(float(keep)), tmp_path / "ring.arcs"
    recorded(ring, seconds, path)
    with SessionFile(path) as file:
        assert file.trouble == ""
        moments = [at - T0 for at in file.moments]
        assert moments[-1] == seconds - 1
        assert moments[0] <= max(seconds - 1 - keep, 0)
        assert len(moments) <= keep + DELTAS_A_WHOLE + 2
        assert len(file.snapshot(len(moments) - 1).handles) == 2 + (seconds - 1) % 5
        assert [name for _, name in file.marks] == ["now"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert ring.left_early == 0
    assert ring.covered_secs == moments[-1] - moments[0]


def test_minutes_without_room_leave_early_and_are_counted(tmp_path: Path) -> None:
    ring, path = RingFile(1e6, most_bytes=40_000), tmp_path / "ring.arcs"
    recorded(ring, 150, path)
    with SessionFile(path) as file:
        assert file.trouble == ""
        assert len(file.moments) + ring.left_early == 150
    assert ring.left_early > 0


def test_a_file_that_is_there_stays_and_a_full_disk_is_one_line(tmp_path: Path) -> None:
    ring, path = RingFile(60.0), tmp_path / "ring.arcs"
    recorded(ring, 3, path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        ring.save(path)
    assert path.read_bytes() == before
    with pytest.raises(FileFormatError, match="cannot write the session file"):
        ring.save(tmp_path / "no" / "ring.arcs")
