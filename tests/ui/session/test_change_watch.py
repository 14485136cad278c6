"""When the table of change is computed."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from inspector.model.snapshot import Snapshot
from tests.helpers.snapshots import T0, Row, make_vitals, snapshot_of
from tests.helpers.windows import Attach, publish


def moment(secs: float, serial: int) -> Snapshot:
    return snapshot_of([Row(1)], at=T0 + secs, serial=serial)


def test_rates_are_shown_with_the_second_counters_and_not_a_second_later(
    qtbot: QtBot, attach_to_table: Attach
) -> None:
    window, session = attach_to_table(moment(0, 1))
    watch = window.changes
    qtbot.waitUntil(lambda: watch.plain is not None)
    assert not watch.knows_rates
    session.on_pump(lambda: session.publish_vitals(make_vitals(T0 + 0.1, (0, 3), (0, 1))))
    publish(qtbot, window, session, moment(0.2, 2))
    qtbot.waitUntil(lambda: watch.knows_rates)
    assert watch.plain is not None
    assert watch.plain.rows[0].births >= 0
