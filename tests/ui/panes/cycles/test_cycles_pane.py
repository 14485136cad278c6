from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from inspector.errors import ControlError
from inspector.model.holders import Cycle, CycleNode, CycleReport
from inspector.model.snapshot import Snapshot
from inspector.ui.kit.theme import DARK, Theme
from inspector.ui.panes.cycles.graph import CycleGraph, sentence
from inspector.ui.panes.cycles.pane import NO_TARGET, NONE, READY, CyclesPane, report_text
from inspector.ui.shell.main_window import MainWindow
from inspector.wire.messages import Answer
from tests.helpers.fake_session import FakeSession
from tests.helpers.snapshots import Row, handle_id, snapshot_of

KNOT = Cycle(
    (
        CycleNode("native", "handle 3 of Keeper", "keeps alive", handle_id(4, foreign=True)),
        CycleNode(
            "python",
            "app.Keeper at 0x7f00",
            ("attribute persister of app.Keeper at 0x7f00"),
            file="/src/app.py",
            line=3,
        ),
        CycleNode("python", "proxy Persister", "owns a reference on", handle_id(2)),
        CycleNode("native", "native object", "≈ 2 pointers on", handle_id(2), is_exact=False),
    ),
    cut="attribute persister of app.Keeper at 0x7f00",
    is_exact=False,
)
FOUND = CycleReport((KNOT,), count=1, looked_at=77, is_cut=False)
NOTHING = CycleReport((), count=0, looked_at=5, is_cut=False)


def graphs(pane: CyclesPane) -> list[CycleGraph]:
    """The cycles that are drawn."""
    return pane.findChildren(CycleGraph)


@pytest.fixture
def opened(
    attach: Callable[[Snapshot], tuple[MainWindow, FakeSession]],
) -> tuple[CyclesPane, FakeSession]:
    window, session = attach(snapshot_of([Row(2)]))
    window.workbench.open_pane("cycles")
    return window.workbench.pane("cycles", CyclesPane), session


def test_nothing_is_asked_before_somebody_clicks(opened: tuple[CyclesPane, FakeSession]) -> None:
    pane, session = opened
    assert pane.note.text() == READY
    assert session.cycle_requests == []


def test_a_cycle_is_drawn_with_the_edge_to_cut(
    opened: tuple[CyclesPane, FakeSession], qtbot: QtBot
) -> None:
    pane, session = opened
    pane.look.click()
    handle, search, future = session.cycle_requests[0]
    assert handle == 0
    search.hear(Answer(1, True, "", "", {"looked_at": 1000, "found": 1}))
    qtbot.waitUntil(lambda: pane.note.text().startswith("1,000 objects looked at"))
    with qtbot.waitSignal(pane.count_changed) as counted:
        future.set_result(FOUND)
    assert counted.args == [1]
    (graph,) = graphs(pane)
    assert "cut attribute persister" in graph.accessibleName()
    assert pane.note.text().startswith(
        "1 cycle across the boundary · 77 objects looked at · ≈ was found by reading memory"
    )


def test_no_cycle_is_an_answer(opened: tuple[CyclesPane, FakeSession], qtbot: QtBot) -> None:
    pane, session = opened
    pane.look.click()
    session.cycle_requests[0][2].set_result(NOTHING)
    qtbot.waitUntil(lambda: pane.note.text() == f"{NONE} · 5 objects looked at")
    assert NONE == "No cycle across the boundary among objects that the collector knows"
    assert pane.look.isVisible()


def test_a_search_can_be_given_up_and_its_late_answer_is_passed_over(
    opened: tuple[CyclesPane, FakeSession], qtbot: QtBot
) -> None:
    pane, session = opened
    pane.look.click()
    pane.stop.click()
    _, search, future = session.cycle_requests[0]
    assert search.is_given_up
    future.set_result(FOUND)
    pane.look.click()
    session.cycle_requests[1][2].set_result(NOTHING)
    qtbot.waitUntil(lambda: pane.note.text().startswith("No cycle"))
    assert graphs(pane) == []


def test_a_refusal_is_said(opened: tuple[CyclesPane, FakeSession], qtbot: QtBot) -> None:
    pane, session = opened
    pane.look.click()
    session.cycle_requests[0][2].set_exception(ControlError("the target hung up"))
    qtbot.waitUntil(lambda: pane.note.text() == "The target hung up")


def test_clearing_forgets_what_was_found(
    opened: tuple[CyclesPane, FakeSession], qtbot: QtBot
) -> None:
    pane, session = opened
    pane.look.click()
    session.cycle_requests[0][2].set_result(FOUND)
    qtbot.waitUntil(lambda: bool(graphs(pane)))
    pane.set_theme(DARK)
    pane.clear()
    assert pane.note.text() == NO_TARGET
    qtbot.waitUntil(lambda: not graphs(pane))


def test_nodes_lead_to_their_handle_or_their_line(qtbot: QtBot, theme: Theme) -> None:
    graph = CycleGraph(theme, KNOT)
    qtbot.addWidget(graph)
    graph.resize(graph.sizeHint())
    with qtbot.waitSignal(graph.handle_chosen) as chosen:
        qtbot.mouseClick(graph, Qt.MouseButton.LeftButton, pos=graph.area(2).center().toPoint())
    assert chosen.args == [handle_id(2)]
    with qtbot.waitSignal(graph.line_wanted) as wanted:
        qtbot.mouseClick(graph, Qt.MouseButton.LeftButton, pos=graph.area(1).center().toPoint())
    assert wanted.args == ["/src/app.py", 3]
    assert not graph.grab().isNull()


def test_a_cycle_is_a_sentence_for_who_cannot_see_it() -> None:
    assert sentence(KNOT).endswith(
        "→ back; cut attribute persister of app.Keeper at 0x7f00; found by reading memory"
    )
    assert "3 more are not drawn" in report_text(CycleReport((KNOT,), 4, 9, is_cut=True))


def test_cycles_that_are_alike_are_drawn_once_and_counted(
    opened: tuple[CyclesPane, FakeSession], qtbot: QtBot
) -> None:
    pane, session = opened
    nodes = tuple(
        dataclasses.replace(
            node, text=node.text.replace("3", "5"), edge=node.edge.replace("7f00", "7f99")
        )
        for node in KNOT.nodes
    )
    pane.look.click()
    session.cycle_requests[0][2].set_result(
        CycleReport((KNOT, dataclasses.replace(KNOT, nodes=nodes)), 2, 9, is_cut=False)
    )
    qtbot.waitUntil(lambda: bool(graphs(pane)))
    (graph,) = graphs(pane)
    assert graph.accessibleDescription() == "One of 2 alike"


def test_the_whole_graph_is_visible_in_a_low_window(
    attach: Callable[[Snapshot], tuple[MainWindow, FakeSession]], qtbot: QtBot
) -> None:
    window, session = attach(snapshot_of([Row(2)]))
    window.resize(900, 600)
    window.workbench.drawer.ask_pane("cycles")
    pane = window.workbench.pane("cycles", CyclesPane)
    long = dataclasses.replace(KNOT, nodes=KNOT.nodes[:1] + KNOT.nodes[1:2] * 3 + KNOT.nodes[2:])
    report = dataclasses.replace(FOUND, cycles=(long,))
    with qtbot.waitSignal(pane.count_changed):
        session.cycle_requests[0][2].set_result(report)
    (graph,) = graphs(pane)
    qtbot.waitUntil(lambda: graph.visibleRegion().boundingRect() == graph.rect())
    assert window.workbench.drawer.whole.isChecked()


def test_a_search_that_runs_is_not_begun_twice(
    opened: tuple[CyclesPane, FakeSession], qtbot: QtBot
) -> None:
    pane, session = opened
    pane.begin()
    pane.begin()
    assert len(session.cycle_requests) == 1
