"""A screenshot opens with what its picture shows: pane by pane the same as the live window."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from inspector.model.change_groups import GroupBy
from inspector.model.holders import PathStep, RetainerPath, Retainers
from inspector.model.private_texts import PARTS
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.model.screenshot import embed, extract, extract_state
from inspector.model.snapshot import Snapshot, Vitals
from inspector.model.stack_reading import StackReading
from inspector.model.stacks import Frame, ThreadStack
from inspector.model.window_file import HEAD, MAGIC, NEWER
from inspector.model.wording import moment
from inspector.session.picture import PictureSession
from inspector.ui.shell.main_window import MainWindow
from inspector.vocabulary import Level, Resource
from tests.helpers.events import events_of
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.panes_read import shown_by, texts
from tests.helpers.reading import is_busy, part
from tests.helpers.snapshots import T0, Row, World, make_vitals, snapshot_of
from tests.helpers.windows import Open, publish
from tests.unit.model.test_screenshot_file import PIXEL

SECS = 40
KEY = "t2"
WORKER = ThreadStack(9003, "worker-2", "waits", (Frame("get", "/srv/app/queue.py", 9),))
WHOLE = Kept(frozenset(part.key for part in PARTS))
"""Every private part stays, so that paths are the same in both windows."""
PATHS = Retainers(
    (RetainerPath((PathStep("global", "app.items", "/srv/app/app.py", 3),), is_rooted=True),),
    1,
    900,
    is_cut=False,
    longest_step_secs=0.002,
)


def state_at(secs: int) -> Snapshot:
    """One more handle each second, an old close that waits, and a few handles of another type."""
    at = T0 + secs
    rows = [Row(slot, age_secs=secs - slot + 100, site=1) for slot in range(1, 10)]
    rows += [Row(slot, age_secs=secs - slot + 9.5, site=3) for slot in range(10, 10 + secs)]
    rows += [
        Row(
            900,
            "Journal",
            resource=Resource.WAITING_OWNER,
            owner="worker-2",
            requester="worker-1",
            age_secs=secs + 100,
            changed_secs=secs + 20,
        )
    ]
    made = snapshot_of(rows, at=at, serial=secs + 1, world=World(created={"TodoItem": 9 + secs}))
    target = dataclasses.replace(made.target, level=Level.HISTORY)
    return dataclasses.replace(made, vitals=vitals_at(secs), target=target)


def vitals_at(secs: float) -> Vitals:
    return make_vitals(T0 + secs, (0, 9 + int(secs), 1), (0, 0, 0))


def settle(qtbot: QtBot, window: MainWindow) -> None:
    """Wait until the findings and the table are of the snapshot that is shown."""

    def is_settled() -> bool:
        table, shown = window.changes.plain, window.attachment.shown
        return (
            table is not None
            and table.facts.snapshot is shown
            and not is_busy(window.changes)
            and not is_busy(window.findings)
            and not window.feed.is_reading
        )

    qtbot.waitUntil(is_settled)


def live_window(qtbot: QtBot, open_window: Open, folder: Path) -> MainWindow:
    """A window that watched a leak for a while, and in which a person did several things."""
    session = FakeSession(state_at(0))
    session.events = events_of(  # type: ignore[attr-defined]
        (T0 + 1, "create", Row(10).id, 1), (T0 + 2, "create", Row(11).id, 1)
    )
    window = open_window(FakeConnector(sessions={4711: session}, folder=folder))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    qtbot.waitUntil(lambda: window.marks.attached is not None)
    for secs in range(1, SECS + 1):
        session.on_pump(lambda secs=secs: session.publish_vitals(vitals_at(secs - 0.5)))
        publish(qtbot, window, session, state_at(secs))
        settle(qtbot, window)
        if secs == 20:
            window.marks.mark_now("before the upload")
            qtbot.waitUntil(lambda: len(window.marks.marks) == 1)
        for asked in session.stack_requests:
            if not asked.done():
                asked.set_result(StackReading(T0 + secs, (WORKER,)))
    qtbot.waitUntil(lambda: not window.stacks.is_running)
    window.workbench.drawer.open_pane("events")
    qtbot.waitUntil(lambda: len(window.feed.events) == 2)
    window.workbench.drawer.set_open(False)
    window.attachment.set_paused(True)
    return window


def save(qtbot: QtBot, window: MainWindow, path: Path, kept: Kept = WHOLE) -> None:
    snapshot = window.attachment.shown
    assert snapshot is not None
    window.screenshot_command.save(snapshot, window.reopening.state(), path, kept=kept)
    qtbot.waitUntil(lambda: window.result.text.startswith("Saved "))


def reopen(qtbot: QtBot, open_window: Open, path: Path) -> MainWindow:
    session = PictureSession(*extract_state(path))
    window = open_window(FakeConnector(files={path: cast("Any", session)}, folder=path.parent))
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.open_file(path)
    settle(qtbot, window)
    return window


def test_each_pane_of_a_reopened_picture_shows_what_the_live_window_showed(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    live = live_window(qtbot, open_window, tmp_path)
    live.marks.compare_with(live.marks.marks[0])
    live.workbench.handles.set_filter("type:TodoItem")
    settle(qtbot, live)
    live.workbench.line.restore({KEY: {Row(10).id: PATHS}})
    live.workbench.choose_key(KEY)
    live.workbench.timeline.set_mode(is_count=True)
    live.workbench.drawer.open_pane("marks")
    live.workbench.marks.choose(live.marks.marks)
    path = tmp_path / "shot.png"
    save(qtbot, live, path)
    before = shown_by(qtbot, live)
    again = reopen(qtbot, open_window, path)
    assert again.workbench.drawer.current == "marks"
    after = shown_by(qtbot, again)
    for pane, words in before.items():
        assert after.get(pane) == words, pane
    assert any("before the upload" in text for text in after["timeline"])
    assert any("app.items" in text for text in after["side"])
    assert any("sync.py:88 sync" in text for text in after["suspects"])
    for pane in ("table", "findings", "marks", "events", "threads", "pending"):
        assert after[pane], pane


def test_listed_handles_their_order_and_dead_rows_come_back(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    live = live_window(qtbot, open_window, tmp_path)
    handles = live.workbench.handles
    handles.group_by(GroupBy.NONE)
    part(handles, "Show tombstones", QCheckBox).setChecked(True)
    qtbot.waitUntil(lambda: handles.model.rowCount() > 0)
    live.workbench.choose(Row(12).id)
    save(qtbot, live, tmp_path / "shot.png")
    again = reopen(qtbot, open_window, tmp_path / "shot.png").workbench
    qtbot.waitUntil(lambda: again.handles.model.rowCount() > 0)
    assert again.handles.grouping is GroupBy.NONE
    assert part(again.handles, "Show tombstones", QCheckBox).isChecked()
    assert again.handles.table.chosen == (Row(12).id,)
    assert again.detail.handle == Row(12).id
    assert texts(again.handles) == texts(handles)


def test_private_parts_are_left_out_of_the_state(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    live = live_window(qtbot, open_window, tmp_path)
    path = tmp_path / "shot.png"
    steps = (PathStep("global", "app.items", "/home/ada/secret/app.py", 3),)
    private = dataclasses.replace(PATHS, paths=(RetainerPath(steps, is_rooted=True),))
    live.workbench.line.restore({KEY: {Row(10).id: private}})
    save(qtbot, live, path, NOTHING_KEPT)
    _, state = extract_state(path)
    assert state is not None
    (found,) = state.holders
    assert found.retainers.paths[0].steps[0].file == "…/app.py"
    assert "/home/ada" not in repr(state)


def test_the_banner_says_of_what_and_when(qtbot: QtBot, open_window: Open, tmp_path: Path) -> None:
    live = live_window(qtbot, open_window, tmp_path)
    save(qtbot, live, tmp_path / "shot.png")
    again = reopen(qtbot, open_window, tmp_path / "shot.png")
    day = moment(T0 + SECS, now=time.time())
    assert again.banner.text == f"Screenshot of app.py, {day}. Read only"


def test_a_picture_of_an_older_version_opens_with_its_handles(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    path = tmp_path / "old.png"
    path.write_bytes(embed(PIXEL, state_at(3)))
    again = reopen(qtbot, open_window, path)
    assert again.marks.marks == ()
    assert "TodoItem" in " ".join(texts(again.workbench.handles))
    assert again.findings.report.findings  # judged by its one moment, as before


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (b"nothing", "the state of its window is damaged, so it is not shown"),
        (HEAD.pack(MAGIC, 9, 0), NEWER),
    ],
)
def test_a_state_that_cannot_be_read_is_one_line_and_the_handles_are_shown(
    qtbot: QtBot, open_window: Open, tmp_path: Path, state: bytes, said: str
) -> None:
    path = tmp_path / "shot.png"
    path.write_bytes(embed(PIXEL, state_at(3), state))
    again = reopen(qtbot, open_window, path)
    assert again.banner.text.endswith(f"Read only: {said}")
    assert "TodoItem" in " ".join(texts(again.workbench.handles))


def test_a_damaged_chunk_of_the_state_costs_the_state_alone(tmp_path: Path) -> None:
    path = tmp_path / "shot.png"
    data = bytearray(embed(PIXEL, state_at(3), b"a state"))
    data[data.index(b"a state")] ^= 1
    path.write_bytes(data)
    snapshot, state = extract_state(path)
    assert len(snapshot.handles) == len(extract(path).handles) > 0
    assert state is not None
    assert "checksum is wrong" in state.trouble


def test_the_state_of_a_large_table_copies_no_handle(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    live = live_window(qtbot, open_window, tmp_path)
    state = live.reopening.state()
    assert state.attached is live.marks.attached
    assert all(one is other for one, other in zip(state.marks, live.marks.marks, strict=True))
    assert state.events is live.feed.events
