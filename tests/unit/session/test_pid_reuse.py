"""A process that got the number of a dead target is not taken for the target."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector.attach import procfs
from inspector.attach.discovery import find_target
from inspector.errors import AttachError, ControlError
from inspector.model.snapshot import TargetState
from inspector.session.live import LiveSession
from tests.helpers.segments import SegmentImage, write_segment
from tests.helpers.waiting import Follower


@pytest.fixture
def heir() -> Iterator[int]:
    """A living process whose number a dead target had."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        yield process.pid


@pytest.fixture
def left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heir: int) -> Path:
    """The segment of the dead target, which began earlier than the process of its number."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / f"arc-inspector-{os.geteuid()}"
    folder.mkdir(mode=0o700)
    stat = procfs.process_stat(heir)
    assert stat is not None
    began = stat.start_time - 1
    return write_segment(
        folder / f"{heir}-{began}.seg",
        SegmentImage(header={"pid": heir, "start_time": began}, handles=[{"address": 64}]),
    )


def test_attaching_by_the_number_finds_no_agent(heir: int, left_behind: Path) -> None:
    with pytest.raises(AttachError, match="runs no agent"):
        find_target(heir)


def test_the_segment_that_was_left_is_post_mortem_and_the_other_process_is_let_alone(
    heir: int, left_behind: Path
) -> None:
    session = LiveSession(left_behind)
    follower = Follower(session)
    snapshot = follower.wait(lambda each: each.target.state is TargetState.POST_MORTEM)
    assert len(snapshot.handles) == 1
    assert not session.capabilities.act
    with pytest.raises(ControlError):
        session.force_gc().result(30)
    session.end()
    session.join()
    stat = procfs.process_stat(heir)
    assert stat is not None
    assert stat.state in "RS"
