from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from inspector.attach import segment as segment_module
from inspector.attach.segment import Segment
from inspector.errors import SegmentError
from inspector.session.dtypes import dtype_of
from inspector.session.source import SegmentSource
from inspector.wire import lib
from inspector.wire.schema import LAYOUT_VERSION
from tests.helpers.segments import SegmentImage, lock_held, write_segment

FULL = SegmentImage(
    types=[{"name": b"T"}],
    handles=[{"address": 64}] * 40,
    sites=[[("f", "a.py", 1)]],
    threads=[{"name": b"main"}],
)


def refused(path: Path) -> str:
    """The one line with which opening or reading fails."""
    with pytest.raises(SegmentError) as caught, Segment(path) as segment:
        SegmentSource(segment).state()
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(f": {path}")
    return text


def test_a_missing_file_is_one_clear_line(tmp_path: Path):
    assert "No such file" in refused(tmp_path / "1-7.seg")


def test_another_version_is_refused_naming_both(tmp_path: Path):
    text = refused(write_segment(tmp_path / "1-7.seg", SegmentImage(header={"layout_version": 9})))
    assert "version 9" in text
    assert f"version {LAYOUT_VERSION}" in text


def test_random_bytes_are_refused(tmp_path: Path):
    path = tmp_path / "1-7.seg"
    path.write_bytes(np.random.default_rng(7).bytes(100_000))
    assert "does not begin as a segment does" in refused(path)


def test_random_bytes_after_a_good_start_are_refused_or_read_without_harm(tmp_path: Path):
    path = tmp_path / "1-7.seg"
    chance = np.random.default_rng(7)
    whole = FULL.to_bytes()
    for _ in range(200):
        start = int(chance.choice([16, 136, 304, 4096]))
        path.write_bytes(whole[:start] + chance.bytes(len(whole) - start))
        with suppress(SegmentError), Segment(path) as segment:
            SegmentSource(segment).state()


@pytest.mark.parametrize("length", [0, 8, 15, 100, 4096, 9000])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, length: int):
    path = tmp_path / "1-7.seg"
    path.write_bytes(FULL.to_bytes()[:length])
    refused(path)


def test_a_file_that_is_cut_short_while_it_is_open_is_an_error_and_no_crash(tmp_path: Path):
    path = write_segment(tmp_path / "1-7.seg", FULL)
    with Segment(path) as segment:
        source = SegmentSource(segment)
        source.state()
        os.truncate(path, 5000)
        with pytest.raises(SegmentError, match="truncated"):
            source.state()


def test_a_symbolic_link_is_refused(tmp_path: Path):
    write_segment(tmp_path / "real", FULL)
    (tmp_path / "1-7.seg").symlink_to(tmp_path / "real")
    assert "symbolic link" in refused(tmp_path / "1-7.seg")


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path):
    os.mkfifo(tmp_path / "1-7.seg")
    assert "pipe" in refused(tmp_path / "1-7.seg")


def test_a_directory_is_refused(tmp_path: Path):
    (tmp_path / "1-7.seg").mkdir()
    assert "directory" in refused(tmp_path / "1-7.seg")


def test_the_lock_tells_whether_the_target_lives(tmp_path: Path):
    path = write_segment(tmp_path / "1-7.seg", FULL)
    with Segment(path) as segment:
        assert not segment.is_locked()
        with lock_held(path):
            assert segment.is_locked()
        assert not segment.is_locked()


def test_a_closed_segment_cannot_be_read(tmp_path: Path):
    segment = Segment(write_segment(tmp_path / "1-7.seg", FULL))
    segment.close()
    segment.close()
    with pytest.raises(SegmentError, match="was closed"):
        segment.is_locked()


def test_no_more_rows_are_read_than_there_is_room_for_but_all_are_counted(tmp_path: Path):
    with Segment(write_segment(tmp_path / "1-7.seg", FULL)) as segment:
        rows, indices = np.zeros(8, dtype_of("AiHandleSlot")), np.zeros(3, np.uint32)
        assert segment.read_live(rows, indices) == (40, 0)
        assert indices.tolist() == [1, 2, 3]
        assert rows["generation"].tolist() == [1, 1, 1, 0, 0, 0, 0, 0]


def test_a_buffer_that_is_read_only_is_refused(tmp_path: Path):
    with Segment(write_segment(tmp_path / "1-7.seg", FULL)) as segment, pytest.raises(BufferError):
        segment.read_header(bytes(4096))


def test_the_allocated_size_is_that_of_the_file(tmp_path: Path):
    path = write_segment(tmp_path / "1-7.seg", FULL)
    with Segment(path) as segment:
        assert segment.allocated_bytes() == path.stat().st_blocks * 512


def test_a_segment_closed_during_a_reading_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = write_segment(tmp_path / "1-7.seg", FULL)
    answers = []
    with lock_held(path), Segment(path) as segment:

        def closing(reader: object, error: object) -> int:
            """As another thread may close the segment: a call releases the interpreter's lock."""
            segment.close()
            return int(lib.ai_reader_locked(reader, error))

        with monkeypatch.context() as patched:
            patched.setattr(segment_module, "lib", SimpleNamespace(ai_reader_locked=closing))
            answers.append(segment.is_locked())
        with pytest.raises(SegmentError, match="was closed"):
            segment.is_locked()
    assert answers == [True]
