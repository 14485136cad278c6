from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector.errors import FileFormatError
from inspector.model import png
from inspector.model.codec import MAGIC
from inspector.model.png import insert_chunk, read_chunk
from inspector.model.screenshot import CHUNK_TYPE, embed, extract
from tests.helpers.equality import same
from tests.helpers.snapshots import Row, snapshot_of


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


PIXEL = (
    png.SIGNATURE
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\0\0"))
    + chunk(b"IEND", b"")
)


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "shot.png"
    path.write_bytes(data)
    return path


def test_a_picture_gives_back_the_snapshot_that_was_put_into_it(tmp_path: Path) -> None:
    snapshot = snapshot_of([Row(1), Row(2, type="Journal")])
    assert same(extract(saved(tmp_path, embed(PIXEL, snapshot))), snapshot)


def test_the_picture_itself_stays_as_it_was() -> None:
    carrying = embed(PIXEL, snapshot_of([Row(1)]))
    assert carrying.startswith(PIXEL[:-12])
    assert carrying.endswith(chunk(b"IEND", b""))


def test_a_second_snapshot_replaces_the_first(tmp_path: Path) -> None:
    second = snapshot_of([Row(7)])
    assert same(
        extract(saved(tmp_path, embed(embed(PIXEL, snapshot_of([Row(1)])), second))), second
    )


def test_what_follows_the_end_of_the_picture_is_ignored(tmp_path: Path) -> None:
    snapshot = snapshot_of([Row(1)])
    assert same(extract(saved(tmp_path, embed(PIXEL, snapshot) + b"trailing")), snapshot)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a PNG picture"),
        (b"GIF89a", "not a PNG picture"),
        (PIXEL, "holds no snapshot"),
        (PIXEL[:-4], "cut short"),
        (embed(PIXEL, snapshot_of([Row(1)]))[:400], "cut short"),
        (png.SIGNATURE + struct.pack(">I4s", 0xFFFF_FFFF, b"arIs") + bytes(100), "cut short"),
        (PIXEL[:-12] + chunk(CHUNK_TYPE, b"") + PIXEL[-12:], "not a snapshot"),
        (PIXEL[:-12] + chunk(CHUNK_TYPE, b"x" * 50) * 2 + PIXEL[-12:], "holds two snapshots"),
        (
            PIXEL[:-12] + chunk(CHUNK_TYPE, struct.pack("<8sIIQ", MAGIC, 3, 0, 0)) + PIXEL[-12:],
            "format version 3",
        ),
    ],
)
def test_a_file_without_a_good_snapshot_is_refused_in_one_line_with_its_path_last(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = saved(tmp_path, data)
    with pytest.raises(FileFormatError, match=reason) as refusal:
        extract(path)
    assert str(refusal.value).endswith(f": {path}")
    assert "\n" not in str(refusal.value)


def test_a_damaged_chunk_is_refused_by_its_checksum(tmp_path: Path) -> None:
    data = bytearray(embed(PIXEL, snapshot_of([Row(1)])))
    data[len(PIXEL) + 40] ^= 1
    with pytest.raises(FileFormatError, match="checksum is wrong"):
        extract(saved(tmp_path, bytes(data)))


def test_an_oversized_chunk_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = embed(PIXEL, snapshot_of([Row(1)]))
    monkeypatch.setattr(png, "MAX_CHUNK_BYTES", 100)
    with pytest.raises(FileFormatError, match="the data in the picture is larger than"):
        extract(saved(tmp_path, data))


def test_too_much_data_is_not_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "MAX_CHUNK_BYTES", 100)
    with pytest.raises(FileFormatError, match="the data to embed is larger than"):
        insert_chunk(PIXEL, CHUNK_TYPE, bytes(101))


def test_a_file_larger_than_the_limit_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector.model.screenshot.MAX_PNG_BYTES", 20)
    with pytest.raises(FileFormatError, match="the picture is larger than"):
        extract(saved(tmp_path, PIXEL))


def test_a_file_that_is_not_there_is_named_with_the_cause_first(tmp_path: Path) -> None:
    with pytest.raises(
        FileFormatError, match=r"^cannot read the picture: No such file or directory: "
    ):
        extract(tmp_path / "none.png")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="cannot read the picture"):
        extract(tmp_path)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_after_a_signature_are_read_or_refused(data: bytes) -> None:
    try:
        assert read_chunk(png.SIGNATURE + data, CHUNK_TYPE) is None
    except FileFormatError:
        return


@settings(max_examples=200)
@given(st.data())
def test_a_screenshot_with_flipped_bytes_is_read_as_it_was_or_refused(data: st.DataObject) -> None:
    good = embed(PIXEL, snapshot_of([Row(1)]))
    place = data.draw(st.integers(0, len(good) - 1))
    damaged = (
        good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]) + good[place + 1 :]
    )
    try:
        found = read_chunk(damaged, CHUNK_TYPE)
    except FileFormatError:
        return
    assert found in (None, read_chunk(good, CHUNK_TYPE))


def test_reading_a_screenshot_loads_no_qt() -> None:
    program = (
        "import sys, inspector.model.screenshot; sys.exit(any(name.startswith(('PySide6', "
        "'pyqtgraph')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
