from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from inspector.model.change_facts import ChangeFacts
from inspector.model.change_trends import ChangeTrends
from inspector.model.changes import ChangeQuery, ChangeTable, change_table
from inspector.model.findings.finding import Finding, Verdict
from inspector.model.findings.judge import Report, all_rules
from inspector.model.marks import mark_now
from inspector.model.snapshot import Snapshot, TargetState
from inspector.model.stacks import Frame, ThreadStack
from inspector.ui.kit.running_clock import RunningClock
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.shell.verdict.grows import GrowsPart
from inspector.ui.shell.verdict.strip import VerdictStrip
from inspector.ui.shell.verdict.stuck import StuckPart
from inspector.vocabulary import Resource
from tests.helpers.reading import button, click, text_of
from tests.helpers.snapshots import T0, Row, World, handle_id, snapshot_of, with_state

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")
BEFORE = snapshot_of([Row(1)], at=T0)
AFTER = snapshot_of([Row(1), *(Row(slot, age_secs=5, site=3) for slot in range(2, 62))], at=T0 + 10)
LEAK = Finding(
    "leak-suspect",
    Verdict.SUSPECT,
    "TodoItem keeps growing: 60 handles made at sync.py:88 sync stayed",
    subject="TodoItem from sync.py:88 sync",
    evidence=("60 of the 60 that stayed were made there",),
)
LATE = Finding("pending-too-old", Verdict.SUSPECT, "1 close waits for 41 s", subject="Journal")
OTHER = Finding("never-closed", Verdict.SUSPECT, "1 Journal dropped without close", "Journal")


def table_of(*findings: Finding) -> ChangeTable:
    trends, mark = ChangeTrends(), mark_now(BEFORE, "attach")
    change_table(ChangeFacts(BEFORE, mark), ChangeQuery(), trends)
    return change_table(ChangeFacts(AFTER, mark, findings=findings), ChangeQuery(), trends)


def grows_of(qtbot: Any, *findings: Finding) -> GrowsPart:
    part = GrowsPart(LIGHT)
    qtbot.addWidget(part)
    part.resize(590, 92)
    part.show()
    part.show_table(table_of(*findings))
    return part


def stuck_of(qtbot: Any, snapshot: Snapshot, clock: RunningClock | None = None) -> StuckPart:
    part = StuckPart(LIGHT, clock=clock)
    qtbot.addWidget(part)
    part.show()
    part.show_snapshot(snapshot)
    return part


def waiting(slot: int, secs: float, owner: str = "worker-2") -> Row:
    return Row(
        slot, type="Journal", resource=Resource.WAITING_OWNER, owner=owner, changed_secs=secs
    )


def words(part: GrowsPart, place: int = 0) -> list[str]:
    return [text for text, _, _ in part.lines[place].parts()]


def test_a_suspect_is_one_line_with_type_rate_line_and_holder(qtbot: Any) -> None:
    part = grows_of(qtbot, LEAK)
    assert words(part) == [
        "TodoItem",
        "+6.0/s",
        "made at",
        "sync.py:88 sync",
        "· held by",
        "look ▸",
    ]
    assert text_of(part, "Verdict on growth") == "1 suspect since attach"
    part.learn_holder(part.suspects[0].key, "app.CACHE")
    assert words(part)[-1] == "app.CACHE"
    assert "held by app.CACHE" in part.lines[0].accessibleName()


def test_a_suspect_of_usual_length_is_not_cut_at_1440_pixels(qtbot: Any) -> None:
    part = grows_of(qtbot, LEAK)
    part.learn_holder(part.suspects[0].key, "__main__.BACKGROUND")
    assert part.lines[0].wanted_width() < 574


def test_in_little_room_the_line_of_code_gives_way_to_the_holder(qtbot: Any) -> None:
    part = grows_of(qtbot, LEAK)
    part.learn_holder(part.suspects[0].key, "CACHE")
    line = part.lines[0]
    part.resize(line.wanted_width() - 30, 92)
    short = line.grab().toImage()
    part.learn_holder(part.suspects[0].key, "OTHER")
    assert line.grab().toImage() != short


def test_a_click_on_a_suspect_asks_who_holds_it(qtbot: Any) -> None:
    part = grows_of(qtbot, LEAK)
    with qtbot.waitSignal(part.suspect_chosen) as chosen:
        qtbot.mouseClick(part.lines[0], Qt.MouseButton.LeftButton)
    assert chosen.args[0].site == "sync.py:88 sync"


def test_more_suspects_than_lines_are_in_a_menu(qtbot: Any) -> None:
    others = (dataclasses.replace(OTHER, subject=name) for name in ("A", "B"))
    part = grows_of(qtbot, LEAK, *others)
    assert [line.isVisible() for line in part.lines] == [True, True]
    assert words(part, 1) == ["⚑", "1 Journal dropped without close"]
    assert button(part, "More suspects").text() == "+1 more ▾"
    part.set_compact(compact=True)
    assert [line.isVisible() for line in part.lines] == [True, False]
    assert button(part, "More suspects").text() == "+2 more ▾"


def test_the_keys_step_through_the_suspects(qtbot: Any) -> None:
    part = grows_of(qtbot, LEAK, OTHER)
    seen: list[str] = []
    part.suspect_chosen.connect(lambda suspect: seen.append(suspect.title))
    for _ in range(3):
        part.step(1)
    assert seen[0] == seen[2] == "TodoItem"
    assert len(set(seen)) == 2


def test_a_suspect_keeps_its_place_while_others_come(qtbot: Any) -> None:
    part = grows_of(qtbot, OTHER)
    part.show_table(table_of(LEAK, OTHER))
    assert [each.finding.rule for each in part.suspects] == ["never-closed", "leak-suspect"]


def test_without_a_suspect_the_rules_conclusion_is_shown(qtbot: Any) -> None:
    part = grows_of(qtbot)
    assert text_of(part, "Verdict on growth") == "Nothing is known yet"
    muted = dataclasses.replace(OTHER, muted="a test")
    part.show_report(Report(T0, (muted,), all_rules(), observed_secs=41.0))
    assert text_of(part, "Verdict on growth") == (
        "Nothing is suspect, watched for 41 s · 1 finding muted"
    )


def test_all_rules_are_a_click_away(qtbot: Any) -> None:
    part = grows_of(qtbot)
    with qtbot.waitSignal(part.findings_wanted):
        click(part, "Findings")


def test_the_oldest_close_is_named_with_the_thread_that_may_run_it(qtbot: Any) -> None:
    part = stuck_of(qtbot, snapshot_of([waiting(1, 3), waiting(2, 41)]))
    assert text_of(part, "What waits") == "Journal #2.1 waits to close for 41 s · 1 more"
    assert part.second.accessibleName() == "Only thread worker-2 may close it"


def test_where_the_owner_thread_waits_stands_in_the_strip(qtbot: Any) -> None:
    snapshot = snapshot_of([waiting(2, 41)])
    owner = next(each for each in snapshot.threads.values() if each.name == "worker-2")
    frame = Frame("get", "/usr/lib/python3/queue.py", 171)
    stack = ThreadStack(owner.tid, "worker-2", "waits", (frame,))
    part = stuck_of(qtbot, dataclasses.replace(snapshot, stacks=(stack,)))
    assert part.second.accessibleName() == (
        "Only thread worker-2 may close it. It is in get, queue.py:171"
    )
    with qtbot.waitSignal(part.line_wanted) as wanted:
        link = part.second.text().partition('href="')[2].partition('"')[0]
        part.second.linkActivated.emit(link)
    assert wanted.args == ["/usr/lib/python3/queue.py", 171]


def test_closes_of_ended_threads_stand_out(qtbot: Any) -> None:
    rows = [waiting(1, 41), waiting(2, 3, "worker-3")]
    part = stuck_of(qtbot, snapshot_of(rows, world=World(ended_threads=("worker-3",))))
    assert part.second.accessibleName().endswith(
        "1 more for a thread that has ended: a drain runs them"
    )


def test_a_close_of_unknown_age_has_no_age(qtbot: Any) -> None:
    part = stuck_of(qtbot, snapshot_of([waiting(1, float("nan"))]))
    assert text_of(part, "What waits") == "Journal #1.1 waits to close"


def test_nothing_that_waits_is_said(qtbot: Any) -> None:
    part = stuck_of(qtbot, snapshot_of())
    assert text_of(part, "What waits") == "Nothing waits to close"
    assert not part.stuck.is_alarm


def test_the_close_that_waits_leads_to_itself_and_to_all_of_them(qtbot: Any) -> None:
    part = stuck_of(qtbot, snapshot_of([waiting(1, 3), waiting(2, 41)]))
    with qtbot.waitSignals([part.handle_chosen, part.pane_wanted]):
        click(part, "Show what waits")
    assert part.stuck.handle == handle_id(2)


def test_a_hang_names_the_line(qtbot: Any) -> None:
    hung = with_state(snapshot_of([Row(1)]), TargetState.HUNG, "it has not answered for 12 s")
    frame = Frame("lock_and_wait", "/srv/app/app.py", 41)
    stack = ThreadStack(7, "MainThread", "runs", (frame,), holds_gil=True)
    part = stuck_of(qtbot, dataclasses.replace(hung, stacks=(stack,)))
    assert "app.py:41 lock_and_wait" in text_of(part, "What waits")
    assert part.second.accessibleName() == "Thread MainThread, holds the interpreter"


def test_the_age_of_the_oldest_close_grows_between_snapshots(qtbot: Any) -> None:
    seconds = [0.0]
    clock = RunningClock(monotonic=lambda: seconds[0])
    part = stuck_of(qtbot, snapshot_of([waiting(1, 41)]), clock)
    seconds[0] = 2.0
    clock.ticked.emit()
    assert text_of(part, "What waits").endswith("for 43 s")
    part.set_paused(paused=True)
    clock.ticked.emit()
    assert text_of(part, "What waits").endswith("for 41 s")


def test_a_lost_target_stops_the_clock(qtbot: Any) -> None:
    clock = RunningClock()
    alive = snapshot_of([Row(1), waiting(2, 41)])
    part = stuck_of(qtbot, alive, clock)
    part.show_snapshot(with_state(alive, TargetState.POST_MORTEM))
    assert not clock.running


def test_the_strip_is_two_lines_in_a_narrow_window(qtbot: Any) -> None:
    strip = VerdictStrip(LIGHT)
    qtbot.addWidget(strip)
    strip.show()
    strip.show_snapshot(snapshot_of([Row(1)]))
    strip.resize(1440, 92)
    qtbot.waitUntil(lambda: strip.height() == 92)
    strip.resize(900, 92)
    qtbot.waitUntil(lambda: strip.height() == 58)
    assert strip.findChild(QLabel, "Numbers").isVisible()
    strip.set_theme(DARK)
    strip.clear()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TargetState.RECORDED, "Nothing was waiting to close at this moment"),
        (TargetState.ENDED, "Nothing was waiting to close when the target ended"),
    ],
)
def test_a_target_of_the_past_says_whether_a_close_was_waiting(
    qtbot: Any, state: TargetState, words: str
) -> None:
    part = stuck_of(qtbot, with_state(snapshot_of([Row(1)]), state))
    assert text_of(part, "What waits") == words
