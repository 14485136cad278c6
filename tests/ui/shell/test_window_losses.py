from __future__ import annotations

import dataclasses

from pytestqt.qtbot import QtBot

from inspector.ui.shell.losses_dialog import LossesDialog
from tests.helpers.reading import click
from tests.helpers.snapshots import T0, Row, snapshot_of
from tests.helpers.windows import SNAPSHOT, Attach, publish


def test_what_was_lost_is_red_and_listed(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    assert window.status.lost.text() == "lost 0"
    assert not window.status.lost.property("alarm")
    publish(
        qtbot,
        window,
        session,
        snapshot_of([Row(1)], serial=2, lost={"untracked_handles": 1204, "misuse_stale": 3}),
    )
    assert window.status.lost.text() == "lost 1,204"
    assert window.status.lost.property("alarm")
    assert "1,204 handles without a row" in window.status.lost.toolTip()
    assert "3 uses after release, refused" in window.status.lost.toolTip()


def test_sampling_less_often_is_a_note_and_no_loss(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(SNAPSHOT)
    fewer = dataclasses.replace(
        snapshot_of([Row(1)], serial=2, lost={"sampler_skips": 7}), sampled_at=T0
    )
    publish(qtbot, window, session, fewer)
    assert not window.status.lost.property("alarm")
    assert window.status.sampled.text().endswith("ago, less often")
    assert "7 passes of the sampler cut short" in window.status.sampled.toolTip()


def test_the_losses_are_read_in_words_and_follow_the_target(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(
        snapshot_of(
            [Row(1)],
            lost={"untracked_handles": 1204, "misuse_stale": 3, "sampler_skips": 2, "new_kind": 1},
        )
    )
    click(window.vital_signs, "Lost")
    click(window.vital_signs, "Lost")
    (dialog,) = window.findChildren(LossesDialog)
    assert dialog.isVisible()
    assert dialog.lines == (
        "1,204 handles without a row",
        "1 new kind",
        "3 uses after release",
        "2 passes of the sampler cut short",
    )
    publish(
        qtbot, window, session, snapshot_of([Row(1)], serial=2, lost={"untracked_handles": 1300})
    )
    assert dialog.lines == ("1,300 handles without a row",)
    publish(qtbot, window, session, snapshot_of([Row(1)], serial=3))
    assert dialog.lines == ()
    assert not dialog.grab().isNull()
    window.commands["detach"].trigger()
    qtbot.waitUntil(lambda: not window.findChildren(LossesDialog))


def test_the_tools_own_cost_is_on_screen(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    assert window.status.cost.text() == "costs the target 0.3 % CPU, 3.1 MB"
    assert window.status.sampled.text() == "sampled 40 ms ago"
