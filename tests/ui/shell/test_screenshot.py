from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel

from inspector.errors import FileFormatError
from inspector.model import screenshot as file_format
from inspector.model.private_texts import PARTS, Private
from inspector.model.redaction import Kept, Redactor
from inspector.model.snapshot import TargetState
from inspector.ui.kit.theme import DARK, LIGHT, Theme
from inspector.ui.shell.screenshot import STAMP_HEIGHT, extract, save_screenshot, stamp_text
from tests.helpers.equality import same
from tests.helpers.snapshots import Row, big_snapshot, snapshot_of

KEEPING = Redactor(Private(), Kept(frozenset(part.key for part in PARTS)))

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


def window_of(qtbot: Any, theme: Theme = LIGHT) -> QLabel:
    window = QLabel("the window")
    qtbot.addWidget(window)
    window.setStyleSheet(f"background: {theme.surface}; color: {theme.text}")
    window.resize(900, 120)
    return window


def test_a_saved_picture_shows_the_window_and_gives_back_the_state(
    qtbot: Any, tmp_path: Path
) -> None:
    window = window_of(qtbot)
    snapshot = big_snapshot(5000, tombstones=10, pending=3)
    save_screenshot(window, snapshot, tmp_path / "shot.png", note="type:Journal", redactor=KEEPING)
    assert same(extract(tmp_path / "shot.png"), snapshot)
    picture = QImage(str(tmp_path / "shot.png"))
    ratio = window.devicePixelRatioF()
    assert (picture.width(), picture.height()) == (
        round(900 * ratio),
        round((120 + STAMP_HEIGHT) * ratio),
    )
    assert picture.copy(0, 0, 900, 118) == window.grab().toImage().convertToFormat(
        picture.format()
    ).copy(0, 0, 900, 118)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_stamp_line_goes_with_the_window_and_is_drawn(
    qtbot: Any, tmp_path: Path, theme: Theme
) -> None:
    save_screenshot(
        window_of(qtbot, theme), snapshot_of([Row(1)]), tmp_path / "shot.png", redactor=KEEPING
    )
    picture = QImage(str(tmp_path / "shot.png"))
    stamp = picture.copy(0, picture.height() - STAMP_HEIGHT + 2, picture.width(), STAMP_HEIGHT - 4)
    colours = {
        stamp.pixelColor(x, y).name() for x in range(stamp.width()) for y in range(stamp.height())
    }
    assert theme.surface_alt in colours
    assert theme.text in colours


def test_the_stamp_says_what_was_looked_at_how_when_and_by_what() -> None:
    snapshot = snapshot_of(
        [Row(1), Row(2)], lost={"untracked_handles": 3, "misuse_zero": 4}, state=TargetState.HUNG
    )
    left, right = stamp_text(snapshot, "type:Journal")
    assert left == "app.py (4711)  ·  hung  ·  2 live  ·  filter type:Journal  ·  lost 3"
    assert right.startswith("2025-06-1")
    assert "arc-inspector" in right
    assert "filter" not in stamp_text(snapshot)[0]


def test_a_long_filter_leaves_room_for_the_time(qtbot: Any, tmp_path: Path) -> None:
    save_screenshot(
        window_of(qtbot), snapshot_of(), tmp_path / "short.png", note="", redactor=KEEPING
    )
    save_screenshot(
        window_of(qtbot), snapshot_of(), tmp_path / "long.png", note="x" * 5000, redactor=KEEPING
    )
    short, long = QImage(str(tmp_path / "short.png")), QImage(str(tmp_path / "long.png"))
    corner = (short.width() - 200, short.height() - STAMP_HEIGHT, 200, STAMP_HEIGHT)
    assert short.copy(*corner) == long.copy(*corner)


def test_saving_again_replaces_the_file_and_leaves_nothing_beside_it(
    qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "shot.png"
    save_screenshot(window_of(qtbot), snapshot_of([Row(1)]), path, redactor=KEEPING)
    save_screenshot(window_of(qtbot), snapshot_of([Row(2)]), path, redactor=KEEPING)
    assert same(extract(path), snapshot_of([Row(2)]))
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_one_clear_line(qtbot: Any, tmp_path: Path) -> None:
    path = tmp_path / "none" / "shot.png"
    with pytest.raises(
        FileFormatError, match=("cannot write the picture: No such file or directory: ")
    ) as refusal:
        save_screenshot(window_of(qtbot), snapshot_of(), path, redactor=KEEPING)
    assert str(refusal.value).endswith(str(path))


def test_what_was_there_stays_when_the_new_picture_cannot_take_its_place(
    qtbot: Any, tmp_path: Path
) -> None:
    path = tmp_path / "shot.png"
    (path / "inside").mkdir(parents=True)
    with pytest.raises(FileFormatError, match="cannot write the picture"):
        save_screenshot(window_of(qtbot), snapshot_of(), path, redactor=KEEPING)
    assert list(tmp_path.iterdir()) == [path]


def test_a_snapshot_that_is_too_large_leaves_no_file(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector.model.png.MAX_CHUNK_BYTES", 10)
    with pytest.raises(FileFormatError, match="larger than"):
        save_screenshot(window_of(qtbot), snapshot_of(), tmp_path / "shot.png", redactor=KEEPING)
    assert list(tmp_path.iterdir()) == []


def test_the_window_s_functions_are_those_that_work_without_qt() -> None:
    assert extract is file_format.extract
