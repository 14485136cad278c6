from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from inspector.commands.support.connector import LocalConnector
from inspector.errors import AttachError, FileFormatError, SegmentError
from inspector.model.screenshot import embed
from inspector.model.snapshot import TargetState
from inspector.ui.session.connector import Connector
from tests.helpers.segments import SegmentImage, lock_held, write_segment
from tests.helpers.snapshots import Row, snapshot_of


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


PIXEL = b"".join(
    [
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        chunk(b"IDAT", zlib.compress(b"\0\0")),
        chunk(b"IEND", b""),
    ]
)


@pytest.fixture
def connector(tmp_path: Path) -> LocalConnector:
    return LocalConnector(state_folder=tmp_path / "state", picture_folder=tmp_path / "pictures")


def test_it_is_what_the_window_wants(connector: LocalConnector):
    wanted: Connector = connector
    assert wanted.recent() == ()


def test_a_screenshot_opens_with_its_data(connector: LocalConnector, tmp_path: Path):
    path = tmp_path / "shot.png"
    path.write_bytes(embed(PIXEL, snapshot_of([Row(1), Row(2)])))
    latest = connector.open_file(path).latest
    assert latest is not None
    assert latest.target.state is TargetState.RECORDED
    assert len(latest.handles) == 2


def test_a_leftover_segment_opens_as_post_mortem_whatever_it_is_called(
    connector: LocalConnector, tmp_path: Path
):
    latest = connector.open_file(
        write_segment(
            tmp_path / "copy of a segment", SegmentImage(header={"pid": 2**31 - 7}, handles=[{}])
        )
    ).latest
    assert latest is not None
    assert latest.target.state is TargetState.POST_MORTEM


def test_the_segment_of_a_living_process_opens_live(connector: LocalConnector, tmp_path: Path):
    path = write_segment(tmp_path / "1-7.seg", SegmentImage(handles=[{}]))
    with lock_held(path):
        session = connector.open_file(path)
        assert not session.capabilities.act
        assert "gone" not in session.capabilities.reason
        session.end()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "neither"),
        (b"hello", "neither"),
        (PIXEL, "holds no snapshot"),
        (PIXEL[:20], "cut short"),
    ],
    ids=["empty", "text", "other picture", "half a picture"],
)
def test_other_files_are_refused_in_one_line(
    connector: LocalConnector, tmp_path: Path, content: bytes, reason: str
):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=reason) as caught:
        connector.open_file(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_segment_is_refused(connector: LocalConnector, tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"ARCISEG1" + bytes(50))
    with pytest.raises(SegmentError):
        connector.open_file(path)


def test_attaching_to_nobody_is_refused(connector: LocalConnector):
    with pytest.raises(AttachError, match="does not exist"):
        connector.attach(2**22 + 4711)


def test_recent_files_come_newest_first_once_each_and_only_while_they_exist(
    connector: LocalConnector, tmp_path: Path
):
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in (*paths, paths[0]):
        path.touch()
        connector.remember(path)
    paths[1].unlink()
    assert [each.path for each in connector.recent()] == [paths[0], paths[2]]
    assert [each.title for each in connector.recent()] == ["0.png", "2.png"]


def test_only_so_many_are_remembered(connector: LocalConnector, tmp_path: Path):
    for number in range(30):
        path = tmp_path / f"{number}.png"
        path.touch()
        connector.remember(path)
    assert len(connector.recent()) == 20


@pytest.mark.parametrize("content", ["", "{", "[1]", '[["a", "b"]]', "null"])
def test_a_damaged_list_of_recent_files_is_an_empty_one(
    connector: LocalConnector, tmp_path: Path, content: str
):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "recent.json").write_text(content)
    assert connector.recent() == ()
    shot = tmp_path / "shot.png"
    shot.touch()
    connector.remember(shot)
    assert len(connector.recent()) == 1


def test_the_folder_for_screenshots_is_made(connector: LocalConnector, tmp_path: Path):
    assert connector.screenshot_folder() == tmp_path / "pictures"
    assert (tmp_path / "pictures").is_dir()


def test_without_a_place_for_screenshots_the_temporary_folder_serves(tmp_path: Path):
    (tmp_path / "file").touch()
    assert LocalConnector(tmp_path, tmp_path / "file" / "pictures").screenshot_folder().is_dir()


def test_the_demo_can_be_watched_and_ends_with_its_session(
    connector: LocalConnector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from inspector.session.live import LiveSession
    from tests.helpers.waiting import Follower

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    session = connector.start_demo()
    assert isinstance(session, LiveSession)
    latest = Follower(session).wait(lambda snapshot: len(snapshot.handles) > 0)
    session.end()
    session.join(30)
    assert not Path(f"/proc/{latest.target.pid}").exists()
