from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF, Qt
from PySide6.QtWidgets import QWidget

from inspector.model.churn_lines import Line
from inspector.model.objects import object_count
from inspector.model.snapshot import UNKNOWN, TargetState
from inspector.model.wording import UNKNOWN_TEXT
from inspector.ui.kit.spark import spark_points
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.shell.vital_cell import Sign, VitalCell
from inspector.ui.shell.vital_signs import VitalSigns
from inspector.vocabulary import EventKind, Reference, Resource
from tests.helpers.reading import part, text_of
from tests.helpers.snapshots import (
    T0,
    Row,
    big_snapshot,
    make_vitals,
    snapshot_of,
    with_state,
)
from tests.helpers.widget_life import what_is_left

CAPTIONS = ("Live", "Objects", "Born", "Died", "Lost")
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")


def strip_of(qtbot: Any) -> VitalSigns:
    strip = VitalSigns(LIGHT)
    qtbot.addWidget(strip)
    return strip


def cells(strip: VitalSigns) -> list[VitalCell]:
    """All numbers, from left to right."""
    return sorted(strip.findChildren(VitalCell), key=lambda cell: CAPTIONS.index(_caption(cell)))


def _caption(cell: VitalCell) -> str:
    return cell.accessibleName().partition(":")[0]


def cell(strip: VitalSigns, caption: str) -> VitalCell:
    return part(strip, caption, VitalCell)


def sign(strip: VitalSigns, caption: str) -> Sign:
    return cell(strip, caption).sign


def values(strip: VitalSigns) -> list[str]:
    return [each.sign.value for each in cells(strip)]


def waiting(slot: int, secs: float, owner: str = "worker-2") -> Row:
    return Row(
        slot, type="Journal", resource=Resource.WAITING_OWNER, owner=owner, changed_secs=secs
    )


def test_everything_is_unknown_before_the_first_counters(qtbot: Any) -> None:
    assert values(strip_of(qtbot)) == [UNKNOWN_TEXT] * 5


def test_a_snapshot_fills_in_handles_objects_and_losses(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    strip.show_snapshot(
        snapshot_of(
            [Row(1, address=64, proxies=2), Row(2, address=64, proxies=2), Row(3), waiting(4, 41)],
            lost={"untracked_handles": 1200, "misuse_stale": 9},
        )
    )
    assert values(strip) == ["4", "3", UNKNOWN_TEXT, UNKNOWN_TEXT, "1,200"]
    assert sign(strip, "Lost").tooltip == (
        "Lost, so numbers may be short. Click to read the meaning:\n1,200 handles without a row"
    )
    assert sign(strip, "Lost").beside == "9 refused"


def test_rates_say_their_direction_and_the_window_they_were_measured_over(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    for i in range(41):
        strip.show_vitals(make_vitals(T0 + i * 0.1, [100 + 124 * i], [118 * i]))
    assert values(strip)[:4] == ["340", UNKNOWN_TEXT, "+1,240/s", "−1,180/s"]
    assert sign(strip, "Born").tooltip == (
        "Handles created, over the last 2.0 s. Click to list them"
    )


def test_numbers_change_ten_times_a_second_however_often_counters_arrive(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    strip.show_vitals(make_vitals(T0, [100], [0]))
    strip.show_vitals(make_vitals(T0 + 1 / 60, [200], [0]))
    assert values(strip)[0] == "100"
    strip.show_vitals(make_vitals(T0 + 6 / 60, [300], [0]))
    assert values(strip)[0] == "300"


def test_a_rate_of_nothing_has_no_direction(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    for i in range(30):
        strip.show_vitals(make_vitals(T0 + i * 0.1, [100], [0]))
    assert values(strip)[2:4] == ["0/s", "0/s"]


def test_nothing_lost_is_said_and_quiet(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    strip.show_snapshot(snapshot_of())
    assert sign(strip, "Lost") == Sign(
        "0", tint="text_quiet", tooltip="Nothing was lost: all that happened is counted"
    )


def test_refused_uses_and_sampling_less_often_are_no_losses(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    strip.show_snapshot(snapshot_of(lost={"misuse_stale": 9, "sampler_skips": 400}))
    assert (sign(strip, "Lost").value, sign(strip, "Lost").beside, sign(strip, "Lost").tint) == (
        "0",
        "9 refused",
        "text_quiet",
    )
    strip.show_snapshot(snapshot_of(lost={"sampler_skips": 400}, serial=2))
    assert (sign(strip, "Lost").value, sign(strip, "Lost").beside) == ("0", "")


@pytest.mark.parametrize(
    ("caption", "signal", "sent"),
    [
        ("Live", "filter_wanted", "state:live"),
        ("Objects", "filter_wanted", "state:live"),
        ("Born", "events_wanted", EventKind.CREATE),
        ("Died", "events_wanted", EventKind.RELEASE),
    ],
)
def test_every_number_is_a_door(qtbot: Any, caption: str, signal: str, sent: object) -> None:
    strip = strip_of(qtbot)
    strip.resize(1200, 48)
    strip.show()
    with qtbot.waitSignal(getattr(strip, signal)) as opened:
        qtbot.mouseClick(cell(strip, caption), Qt.MouseButton.LeftButton)
    assert opened.args == [sent]


def test_the_losses_lead_to_what_they_mean(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    strip.show_snapshot(snapshot_of(lost={"untracked_handles": 1}))
    with qtbot.waitSignal(strip.losses_wanted):
        cell(strip, "Lost").click()


def test_a_number_can_be_reached_and_opened_by_keyboard_and_has_a_name(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    strip.show_snapshot(snapshot_of([waiting(1, 41)]))
    strip.show()
    assert cell(strip, "Live").focusPolicy() == Qt.FocusPolicy.TabFocus
    assert cell(strip, "Live").accessibleName() == "Live: 1"
    with qtbot.waitSignal(strip.filter_wanted):
        qtbot.keyClick(cell(strip, "Live"), Qt.Key.Key_Space)


def test_another_target_begins_anew_and_clearing_forgets(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    for i in range(30):
        strip.show_vitals(make_vitals(T0 + i * 0.1, [100 * i], [0]))
    other = snapshot_of([Row(1)], at=T0 + 9)
    strip.show_snapshot(
        dataclasses.replace(other, target=dataclasses.replace(other.target, pid=4712))
    )
    assert values(strip)[2] == UNKNOWN_TEXT
    strip.clear()
    assert values(strip) == [UNKNOWN_TEXT] * 5


def test_a_recorded_state_shows_its_counts_and_no_rates(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    strip.show_snapshot(with_state(big_snapshot(100_000, pending=3), TargetState.RECORDED))
    assert values(strip) == [
        "100,000",
        "100,000",
        UNKNOWN_TEXT,
        UNKNOWN_TEXT,
        "0",
    ]


def test_a_lost_target_keeps_its_last_numbers(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    for i in range(30):
        strip.show_vitals(make_vitals(T0 + i * 0.1, [100 * i], [0]))
    alive = snapshot_of([Row(1), waiting(2, 41)], at=T0 + 3)
    strip.show_snapshot(with_state(alive, TargetState.POST_MORTEM))
    assert values(strip)[:2] == ["2", "2"]


def test_a_lost_target_has_no_rates_any_more(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    strip.show_snapshot(snapshot_of([Row(1)]))
    for i in range(1, 30):
        strip.show_vitals(make_vitals(T0 + i * 0.1, [100 * i], [0]))
    assert values(strip)[2] == "+1,000/s"
    strip.show_snapshot(with_state(snapshot_of([Row(1)], at=T0 + 4), TargetState.ENDED))
    assert values(strip)[2:4] == [UNKNOWN_TEXT, UNKNOWN_TEXT]
    assert text_of(strip, "Net growth") == "net –"


def test_net_growth_is_births_without_deaths(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    for i in range(41):
        strip.show_vitals(make_vitals(T0 + i * 0.1, [100 + 124 * i], [118 * i]))
    assert text_of(strip, "Net growth") == "net +60/s"


def test_numbers_are_not_cut_where_there_is_little_room(qtbot: Any) -> None:
    strip = strip_of(qtbot)
    for i in range(30):
        strip.show_vitals(make_vitals(T0 + i * 0.1, [100_000 + 12_345 * i], [11_111 * i]))
    strip.show_snapshot(big_snapshot(100_000, pending=4000))
    strip.set_theme(DARK)
    strip.resize(900, 92)
    strip.show()
    assert all(each.width() >= each.sizeHint().width() for each in cells(strip))
    assert cells(strip)[-1].geometry().right() < 900
    assert not strip.grab().isNull()


def test_a_cell_keeps_its_width_while_its_value_moves_a_little(qtbot: Any) -> None:
    cell = VitalCell(LIGHT, "Live")
    qtbot.addWidget(cell)
    cell.show_sign(Sign("12,408"))
    wide = cell.sizeHint().width()
    cell.show_sign(Sign("9,999"))
    assert cell.sizeHint().width() == wide
    cell.show_sign(Sign("1,000,000"))
    assert cell.sizeHint().width() > wide


def test_a_sparkline_breaks_at_a_gap_and_stays_inside_its_room() -> None:
    line = Line(np.arange(7.0), np.array([1, 5, np.nan, 3, 9, np.nan, 2]))
    runs = spark_points(line, QRectF(10, 10, 72, 28))
    assert [len(run) for run in runs] == [2, 2]
    assert all(10 <= point.x() <= 82 and 10 <= point.y() <= 38 for run in runs for point in run)


def test_a_level_sparkline_lies_in_the_middle_and_one_point_is_none() -> None:
    area = QRectF(0, 0, 70, 20)
    assert {
        point.y() for point in spark_points(Line(np.arange(3.0), np.full(3, 500.0)), area)[0]
    } == {10.0}
    assert spark_points(Line(np.arange(1.0), np.ones(1)), area) == []


def test_the_handles_of_one_object_are_one_and_tombstones_none() -> None:
    three = [Row(slot, address=64, proxies=3) for slot in (1, 2, 3)]
    unknown = [Row(slot, proxies=UNKNOWN) for slot in (4, 5)]
    assert (
        object_count(snapshot_of([*three, *unknown, Row(6), Row(7, reference=Reference.DROPPED)]))
        == 4
    )
    assert object_count(snapshot_of()) == 0


@given(st.lists(st.integers(1, 9), max_size=200))
def test_objects_are_counted_exactly_however_many_handles_each_has(sizes: list[int]) -> None:
    rows = [proxies for proxies in sizes for _ in range(proxies)]
    snapshot = snapshot_of([Row(slot, proxies=proxies) for slot, proxies in enumerate(rows, 1)])
    assert object_count(snapshot) == len(sizes)


def test_a_dropped_strip_leaves_nothing(qapp: Any) -> None:
    strip: list[QWidget] = [VitalSigns(LIGHT)]
    strip[0].show_snapshot(snapshot_of([waiting(1, 3)]))
    strip[0].show()
    assert what_is_left(strip) == []
