from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, Qt
from pytestqt.qtbot import QtBot

from inspector.ui.shell.main_window import MainWindow
from inspector.ui.shell.tour_card import TourCard, beside, place_of
from inspector.vocabulary import Resource
from tests.helpers.fake_session import FakeConnector, FakeSession
from tests.helpers.snapshots import Row, snapshot_of
from tests.helpers.windows import SNAPSHOT, Attach, Open

Demo = Callable[[], MainWindow]
WAITING = Row(7, "Journal", resource=Resource.DRAINING, in_flight=1)
LEAK = Row(8, "TodoItem", age_secs=90)


@pytest.fixture
def demo(qtbot: QtBot, open_window: Open, tmp_path: Path) -> Demo:
    def start() -> MainWindow:
        session = FakeSession(snapshot_of([Row(1), LEAK, WAITING]))
        window = open_window(FakeConnector(demo=session, folder=tmp_path))
        with qtbot.waitSignal(window.attachment.snapshot_shown):
            window.start.demo.click()
        return window

    return start


def card_of(window: MainWindow) -> TourCard:
    card = window.tour.card
    assert card is not None
    return card


def test_the_first_demo_comes_with_its_tour(demo: Demo) -> None:
    card = card_of(demo())
    assert card.isVisible()
    assert card.count.text() == "1 of 6"
    assert card.title.text() == "Is something growing?"
    assert not card.back.isVisible()


def test_each_step_shows_what_it_speaks_of(demo: Demo) -> None:
    window = demo()
    card, bench = card_of(window), window.workbench
    titles = [card.title.text()]
    for _ in range(5):
        card.forward.click()
        titles.append(card.title.text())
        if titles[-1] == "Find the old ones":
            assert bench.handles.query.filter.source == "type:TodoItem age>5s"
        if titles[-1] == "Who holds it?":
            assert bench.detail.handle == LEAK.id
        if titles[-1] == "Is something stuck?":
            assert bench.pending.isVisible()
            assert bench.detail.handle == WAITING.id
    assert len(set(titles)) == 6
    assert (card.forward.text(), card.leave.isVisible()) == ("Done", False)


def test_the_card_covers_nothing_that_it_speaks_of_where_there_is_room(
    qtbot: QtBot, demo: Demo
) -> None:
    window = demo()
    card = card_of(window)
    assert not card.geometry().intersects(place_of(window.vital_signs, window))
    assert window.rect().contains(card.geometry())


def test_a_tour_that_was_seen_does_not_come_again_by_itself(
    qtbot: QtBot, demo: Demo, settings: QSettings
) -> None:
    window = demo()
    for _ in range(6):
        card_of(window).forward.click()
    assert window.tour.card is None
    assert window.tour.was_seen
    again = demo()
    assert again.tour.card is None
    again.commands["tour"].trigger()
    assert card_of(again).count.text() == "1 of 6"


def test_leaving_it_counts_as_having_seen_it(qtbot: QtBot, demo: Demo) -> None:
    window = demo()
    qtbot.keyClick(card_of(window), Qt.Key.Key_Escape)
    assert window.tour.card is None
    assert window.tour.was_seen


@pytest.mark.parametrize(("filter_", "kept"), [("", ""), ("type:Journal", "type:Journal")])
def test_a_tour_that_is_left_takes_its_own_filter_along(
    qtbot: QtBot, demo: Demo, filter_: str, kept: str
) -> None:
    window = demo()
    handles = window.workbench.handles
    card = card_of(window)
    while card.title.text() != "Find the old ones":
        card.forward.click()
    assert handles.query.filter.source == "type:TodoItem age>5s"
    if filter_:
        handles.set_filter(filter_)
    qtbot.keyClick(card, Qt.Key.Key_Escape)
    assert handles.query.filter.source == kept


def test_the_end_of_the_session_ends_the_tour_but_does_not_count_as_seen(demo: Demo) -> None:
    window = demo()
    window.attachment.detach()
    assert window.tour.card is None
    assert not window.tour.was_seen


def test_arrows_go_on_and_back(qtbot: QtBot, demo: Demo) -> None:
    card = card_of(demo())
    qtbot.keyClick(card, Qt.Key.Key_Right)
    assert card.count.text() == "2 of 6"
    qtbot.keyClick(card, Qt.Key.Key_Left)
    qtbot.keyClick(card, Qt.Key.Key_Left)
    assert card.count.text() == "1 of 6"


def test_the_tour_moves_with_the_window_and_its_theme(qtbot: QtBot, demo: Demo) -> None:
    window = demo()
    for _ in range(5):
        card_of(window).forward.click()
    window.resize(900, 600)
    window.appearance.choose("dark")
    qtbot.waitUntil(lambda: window.rect().contains(card_of(window).geometry()))


def test_a_process_of_ones_own_comes_without_a_tour(attach: Attach) -> None:
    window, _ = attach(SNAPSHOT)
    assert window.tour.card is None


def test_a_demo_that_did_not_start_brings_no_tour_to_the_next_process(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    window = open_window(FakeConnector(sessions={4711: FakeSession(SNAPSHOT)}, folder=tmp_path))
    window.start.demo.click()
    qtbot.waitUntil(lambda: "could not be started" in window.result.text)
    with qtbot.waitSignal(window.attachment.snapshot_shown):
        window.attachment.attach(4711)
    assert window.tour.card is None


@pytest.mark.parametrize(
    ("anchor", "place"),
    [
        (QRect(0, 0, 1000, 50), QPoint(329, 61)),
        (QRect(0, 550, 1000, 50), QPoint(329, 338)),
        (QRect(600, 0, 400, 600), QPoint(248, 12)),
        (QRect(0, 0, 400, 600), QPoint(411, 12)),
        (QRect(0, 0, 1000, 600), QPoint(647, 387)),
    ],
)
def test_a_card_stands_below_above_left_or_right_else_in_the_corner(
    anchor: QRect, place: QPoint
) -> None:
    assert beside(anchor, (340, 200), QRect(0, 0, 1000, 600)) == place
