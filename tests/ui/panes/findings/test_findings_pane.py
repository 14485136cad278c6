"""The pane of findings: the first finding, its links, and muting."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QWidget
from pytestqt.qtbot import QtBot

from inspector.errors import ControlError
from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.judge import Report, all_rules, judge, nothing_judged
from inspector.model.findings.leads import Coverage, Lead, LibraryLead
from inspector.model.snapshot import Snapshot
from inspector.session.mutes import Mutes
from inspector.ui.kit.theme import DARK, LIGHT
from inspector.ui.panes.findings.model import FindingRows, finding_model
from inspector.ui.panes.findings.pane import FIRST_LOOK, NO_TARGET, FindingsPane
from inspector.ui.session import findings_watch
from inspector.ui.session.attachment import Attachment
from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner
from inspector.ui.session.event_feed import EventFeed
from inspector.ui.session.findings_watch import FindingsWatch
from inspector.vocabulary import Reference, Resource
from tests.helpers.fake_session import FakeConnector
from tests.helpers.reading import click, is_busy, text_of
from tests.helpers.snapshots import T0, Row, big_snapshot, snapshot_of
from tests.helpers.widget_life import what_is_left
from tests.helpers.windows import Attach

DROPPED_OPEN = Row(3, type="Journal", reference=Reference.DROPPED, resource=Resource.NEVER_CLOSED)


def unclosed(at: float = T0, serial: int = 1) -> Snapshot:
    snapshot = snapshot_of([Row(1), DROPPED_OPEN], at=at, serial=serial)
    types = {
        index: dataclasses.replace(row, never_closed=int(row.closes))
        for index, row in snapshot.types.items()
    }
    return dataclasses.replace(snapshot, types=types)


def pane_of(window: object) -> FindingsPane:
    pane = window.workbench.pane("findings", FindingsPane)  # type: ignore[attr-defined]
    assert isinstance(pane, FindingsPane)
    return pane


RPDS = LibraryLead("rpds", "PyO3 0.29.3", 9, 1204, module="rpds.rpds")


def said(window: object) -> str:
    """The verdict on growth in the strip."""
    return text_of(window.verdict.grows, "Verdict on growth")  # type: ignore[attr-defined]


def headlines(pane: FindingsPane) -> list[str]:
    model = pane.table.model()
    return [
        f"{model.index(row, 0).data()}: {model.index(row, 2).data()}"
        for row in range(model.rowCount())
    ]


def choose_first(pane: FindingsPane) -> None:
    pane.table.clicked.emit(pane.table.model().index(0, 0))


def test_a_suspect_stands_on_top_with_its_number_in_tab_and_vital_signs(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(unclosed())
    pane = pane_of(window)
    qtbot.waitUntil(lambda: bool(headlines(pane)))
    assert headlines(pane)[0] == "suspect: 1 Journal dropped without close, made at app.py:41 add"
    assert any(line.startswith("not measured: Uses are recorded") for line in headlines(pane))
    qtbot.waitUntil(lambda: said(window) == "1 suspect since attach")
    assert window.workbench.drawer.title("findings") == "Findings 1"


def test_a_finding_leads_to_its_rows_and_its_handle(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(unclosed())
    pane = pane_of(window)
    qtbot.waitUntil(lambda: bool(headlines(pane)))
    choose_first(pane)
    assert "It closes by close(flush)" in text_of(pane, "Evidence")
    click(pane, "Show the rows")
    assert window.workbench.handles.query.filter.source == (
        'type:"Journal" site:"app.py:41 add" state:"never closed"'
    )
    click(pane, "Show #3.1")
    assert window.workbench.detail.handle == DROPPED_OPEN.id


def test_a_muted_finding_is_quiet_and_its_reason_is_kept(
    qtbot: QtBot, attach: Attach, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window, _ = attach(unclosed())
    pane = pane_of(window)
    qtbot.waitUntil(lambda: bool(headlines(pane)))
    choose_first(pane)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("  closes with the process ", True))
    click(pane, "Mute…")
    qtbot.waitUntil(lambda: headlines(pane)[0].startswith("muted"))
    assert text_of(pane, "Why it is muted") == "Muted: closes with the process"
    qtbot.waitUntil(lambda: said(window).endswith("1 finding muted"))
    assert json.loads((tmp_path / "mutes.json").read_text()) == {
        ("never-closed: Journal from app.py:41 add"): "closes with the process"
    }
    click(pane, "Unmute")
    qtbot.waitUntil(lambda: headlines(pane)[0].startswith("suspect"))


def test_a_mute_while_findings_are_computed_counts_at_once(
    qtbot: QtBot, attach: Attach, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window, session = attach(unclosed())
    pane = pane_of(window)
    qtbot.waitUntil(lambda: bool(headlines(pane)))
    may_end = threading.Event()

    def slow(facts: Facts, *, mutes: Mapping[str, str]) -> Report:
        may_end.wait(10)
        return judge(facts, mutes=mutes)

    monkeypatch.setattr(findings_watch, "judge", slow)
    session.publish(unclosed(T0 + 2, serial=2))
    qtbot.waitUntil(lambda: is_busy(window.findings))
    window.findings.mute("never-closed: Journal from app.py:41 add", "closes with the process")
    qtbot.waitUntil(lambda: (tmp_path / "mutes.json").exists())
    qtbot.waitUntil(lambda: window.findings.findChildren(LatestWork)[0].is_asked_again)
    may_end.set()
    qtbot.waitUntil(lambda: headlines(pane)[0].startswith("muted"))


def test_a_mute_without_a_reason_changes_nothing(
    qtbot: QtBot, attach: Attach, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    window, _ = attach(unclosed())
    pane = pane_of(window)
    qtbot.waitUntil(lambda: bool(headlines(pane)))
    choose_first(pane)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("  ", True))
    click(pane, "Mute…")
    assert not (tmp_path / "mutes.json").exists()


def test_the_first_look_and_the_lost_target_have_a_sentence(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(snapshot_of())
    pane = pane_of(window)
    assert pane.table.message in (FIRST_LOOK, NO_TARGET)
    qtbot.waitUntil(lambda: bool(headlines(pane)))
    window.attachment.detach()
    assert headlines(pane) == []
    assert pane.table.message == NO_TARGET


def test_classes_that_nobody_follows_are_in_the_window_and_0_is_not_said_where_nothing_was_judged(
    qtbot: QtBot, attach: Attach
) -> None:
    nothing = dataclasses.replace(snapshot_of(), types={})
    window, session = attach(nothing)
    pane, handles = pane_of(window), window.workbench.handles
    qtbot.waitUntil(lambda: bool(session.coverage_requests))
    session.coverage_requests[0].set_result(Coverage(Lead((RPDS,))))
    headline = "rpds (PyO3 0.29.3): 9 classes, about 1,204 objects alive"
    qtbot.waitUntil(lambda: f"not measured: {headline}" in headlines(pane))
    assert not [
        line for line in headlines(pane) if line.startswith("ok") and "file descriptors" not in line
    ]
    assert "it cannot be said yet of: " in said(window)
    assert headline in text_of(handles, "Why there is no row")
    assert 'class = "rpds.rpds.*"' in text_of(handles, "Why there is no row")
    assert text_of(window.verdict, "Not followed") == f"Not followed: {headline}"
    click(handles, "Follow rpds.rpds")
    (asked,) = session.follow_requests
    assert asked[0] == "rpds.rpds"
    asked[1].set_result(Coverage(Lead()))
    qtbot.waitUntil(lambda: f"not measured: {headline}" not in headlines(pane))
    assert headline not in text_of(handles, "Why there is no row")
    window.attachment.detach()
    assert text_of(handles, "Why there is no row") == ""


def test_the_window_knows_births_that_are_not_seen(qtbot: QtBot, attach: Attach) -> None:
    window, session = attach(snapshot_of([Row(1)]))
    qtbot.waitUntil(lambda: bool(session.coverage_requests))
    session.coverage_requests[0].set_result(Coverage(Lead(), ("rpds.HashTrieMap",)))
    qtbot.waitUntil(
        lambda: any(
            "has a class that is not followed" in line for line in headlines(pane_of(window))
        )
    )
    for serial in range(2, 12):
        qtbot.waitUntil(lambda: not is_busy(window.findings))
        session.publish(snapshot_of([Row(1)], at=T0 + serial, serial=serial))
        qtbot.waitUntil(lambda serial=serial: window.findings.report.at == T0 + serial)  # type: ignore[misc]
    assert "not measured: Births cannot be seen of rpds.HashTrieMap" in headlines(pane_of(window))


def test_a_target_is_asked_again_what_is_not_followed_and_one_that_cannot_answer_leaves_it_unknown(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(snapshot_of([Row(1)]))
    qtbot.waitUntil(lambda: len(session.coverage_requests) == 1)
    session.coverage_requests[0].set_exception(ControlError("no answer"))
    qtbot.waitUntil(lambda: window.findings.report.at == T0)  # one look at a time
    session.publish(snapshot_of([Row(1)], at=T0 + 5, serial=2))
    qtbot.waitUntil(lambda: window.findings.report.at == T0 + 5)
    session.publish(snapshot_of([Row(1)], at=T0 + 20, serial=3))
    qtbot.waitUntil(lambda: len(session.coverage_requests) == 2)
    qtbot.waitUntil(lambda: window.findings.report.at == T0 + 20)
    assert "not measured: Only a running agent says which classes are not followed" in headlines(
        pane_of(window)
    )


def test_looks_are_a_second_apart_and_a_recording_wound_back_begins_anew(
    qtbot: QtBot, attach: Attach
) -> None:
    window, session = attach(snapshot_of([Row(1)]))
    watch = window.findings
    qtbot.waitUntil(lambda: watch.report.at == T0)
    session.publish(snapshot_of([Row(1)], at=T0 + 0.5, serial=2))
    session.publish(snapshot_of([Row(1)], at=T0 + 3, serial=3))
    qtbot.waitUntil(lambda: watch.report.at == T0 + 3)
    assert watch.report.observed_secs == 3
    session.publish(snapshot_of([Row(1)], at=T0 - 9, serial=4))
    qtbot.waitUntil(lambda: watch.report.at == T0 - 9)
    assert watch.report.observed_secs == 0


def test_a_hundred_thousand_handles_are_judged_beside_the_window(
    qtbot: QtBot, attach: Attach
) -> None:
    window, _ = attach(big_snapshot(100_000, tombstones=5000, pending=200))
    qtbot.waitUntil(lambda: bool(headlines(pane_of(window))), timeout=20_000)


def test_the_table_keeps_qt_s_rules(qapp, qtmodeltester) -> None:  # type: ignore[no-untyped-def]
    model = finding_model(LIGHT, FindingRows(nothing_judged()))
    twice = Finding("never-closed", Verdict.SUSPECT, "one")
    for findings in ((), (twice, twice), (Finding("orphan", Verdict.OK, "none"), twice), ()):
        model.set_rows(FindingRows(Report(T0, findings, all_rules())))
        qtmodeltester.check(model, force_py=False)
        for number in range(model.columnCount()):
            model.sort(number, Qt.SortOrder.DescendingOrder)


def test_a_dropped_pane_leaves_nothing(qapp, runner: BackgroundRunner, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    attachment = Attachment(FakeConnector(), runner)
    watch = FindingsWatch(
        attachment, runner, EventFeed(attachment, runner), Mutes(tmp_path / "mutes.json")
    )
    pane: list[QWidget] = [FindingsPane(LIGHT, watch)]
    pane[0].set_theme(DARK)  # type: ignore[attr-defined]
    pane[0].show()
    assert what_is_left(pane) == []


def test_the_sample_of_a_finding_stays_while_it_lives(qtbot: QtBot, attach: Attach) -> None:
    window, _ = attach(snapshot_of([Row(1), Row(2)]))
    pane = pane_of(window)

    def report(*handles: int) -> Report:
        finding = Finding("leak-suspect", Verdict.SUSPECT, "It grows", "T", handles=handles)
        return Report(T0, (finding,), all_rules())

    first, second, gone = Row(1).id, Row(2).id, Row(3).id
    pane.show_report(report(first, second))
    choose_first(pane)
    pane.show_report(report(second))
    with qtbot.waitSignal(pane.handle_chosen) as chosen:
        click(pane, "Show #1.1")
    assert chosen.args == [first]
    pane.clear()
    pane.show_report(report(gone))
    choose_first(pane)
    pane.show_report(report(second))
    click(pane, "Show #2.1")
