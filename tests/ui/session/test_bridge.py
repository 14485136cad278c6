from __future__ import annotations

import threading
from concurrent.futures import Future

from PySide6.QtCore import QCoreApplication, QThread
from pytestqt.qtbot import QtBot

from inspector.ui.session.bridge import MAX_WAITING_VITALS, BackgroundRunner, Bridge, Gate
from tests.helpers.fake_session import FakeSession
from tests.helpers.snapshots import T0, make_vitals, snapshot_of


def test_of_snapshots_that_pile_up_only_the_newest_arrives_and_the_others_are_counted(
    qtbot: QtBot,
) -> None:
    session, bridge = FakeSession(), Bridge()
    bridge.follow(session)
    arrived = []
    bridge.snapshot_arrived.connect(arrived.append)
    with qtbot.waitSignal(bridge.snapshot_arrived):
        session.on_pump(
            lambda: [session.publish(snapshot_of(serial=serial)) for serial in (1, 2, 3)]
        )
    assert [snapshot.serial for snapshot in arrived] == [3]
    assert bridge.skipped == 2


def test_all_vitals_arrive_in_their_order(qtbot: QtBot) -> None:
    session, bridge = FakeSession(), Bridge()
    bridge.follow(session)
    arrived = []
    bridge.vitals_arrived.connect(arrived.append)
    with qtbot.waitSignals([bridge.vitals_arrived] * 5):
        session.on_pump(
            lambda: [session.publish_vitals(make_vitals(T0 + n, [n], [0])) for n in range(5)]
        )
    assert [vitals.at for vitals in arrived] == [T0 + n for n in range(5)]


def test_vitals_that_nobody_fetches_are_bounded_and_counted() -> None:
    from inspector.ui.session.bridge import Inbox

    inbox = Inbox(lambda: None)
    for n in range(MAX_WAITING_VITALS + 7):
        inbox.on_vitals(make_vitals(T0 + n, [n], [0]))
    assert [vitals.at for vitals in inbox.take()[1]] == [
        T0 + n for n in range(7, MAX_WAITING_VITALS + 7)
    ], "the newest wait"
    assert inbox.dropped_vitals == 7
    assert MAX_WAITING_VITALS == 600, "ten seconds of them"


def test_the_window_is_woken_once_for_all_that_waits() -> None:
    from inspector.ui.session.bridge import Inbox

    woken = []
    inbox = Inbox(lambda: woken.append(1))
    for serial in range(5):
        inbox.on_snapshot(snapshot_of(serial=serial))
    assert len(woken) == 1
    inbox.take()
    inbox.on_snapshot(snapshot_of(serial=9))
    assert len(woken) == 2


def test_snapshots_arrive_on_the_gui_thread(qtbot: QtBot) -> None:
    session, bridge = FakeSession(), Bridge()
    bridge.follow(session)
    threads = []
    bridge.snapshot_arrived.connect(lambda _snapshot: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(bridge.snapshot_arrived):
        session.on_pump(lambda: session.publish(snapshot_of()))
    assert threads == [bridge.thread()]


def test_the_latest_snapshot_arrives_at_once_when_a_session_is_followed(qtbot: QtBot) -> None:
    bridge = Bridge()
    with qtbot.waitSignal(bridge.snapshot_arrived) as arrived:
        bridge.follow(FakeSession(snapshot_of(serial=5)))
    assert arrived.args[0].serial == 5


def test_nothing_arrives_from_a_session_that_was_left(qtbot: QtBot) -> None:
    first, second, bridge = FakeSession(), FakeSession(snapshot_of(serial=20)), Bridge()
    bridge.follow(first)
    arrived = []
    bridge.snapshot_arrived.connect(arrived.append)
    first.publish(snapshot_of(serial=10))
    with qtbot.waitSignal(bridge.snapshot_arrived):
        bridge.follow(second)
    assert [snapshot.serial for snapshot in arrived] == [20]
    assert first.listeners == []


def test_work_runs_off_the_gui_thread_and_its_outcome_comes_back_to_it(
    qtbot: QtBot, runner: BackgroundRunner
) -> None:
    seen = []
    runner.run(
        threading.get_ident,
        lambda ident: seen.append((ident, threading.get_ident())),
        lambda _error: None,
    )
    qtbot.waitUntil(lambda: bool(seen))
    worker, here = seen[0]
    assert worker != here
    assert here == threading.get_ident()


def test_an_error_comes_back_as_an_error(qtbot: QtBot, runner: BackgroundRunner) -> None:
    errors = []

    def fail() -> None:
        raise OSError("disk is full")

    runner.run(fail, lambda _none: errors.append("result"), errors.append)
    qtbot.waitUntil(lambda: bool(errors))
    assert isinstance(errors[0], OSError)


def test_a_cancelled_future_and_a_closed_runner_bring_nothing(qtbot: QtBot) -> None:
    runner, brought = BackgroundRunner(), []
    cancelled: Future[int] = Future()
    late: Future[int] = Future()
    runner.watch(cancelled, brought.append, brought.append)
    runner.watch(late, brought.append, brought.append)
    cancelled.cancel()
    runner.close()
    late.set_result(1)
    marker: Future[int] = Future()
    other = BackgroundRunner()
    other.watch(marker, brought.append, brought.append)
    marker.set_result(99)
    qtbot.waitUntil(lambda: bool(brought))
    other.close()
    assert brought == [99]


def test_a_gate_is_shut_when_the_call_that_is_under_way_has_ended() -> None:
    gate, begun, may_end, told = Gate(), threading.Event(), threading.Event(), []

    def tell() -> None:
        told.append(1)
        begun.set()
        assert may_end.wait(30)

    worker = threading.Thread(target=gate.call, args=(tell,))
    worker.start()
    assert begun.wait(30)
    closer = threading.Thread(target=gate.shut)
    closer.start()
    closer.join(0.2)
    assert closer.is_alive(), "it was shut while a worker told its owner"
    may_end.set()
    worker.join()
    closer.join()
    gate.call(tell)
    assert told == [1]


def test_a_runner_that_was_closed_is_told_of_no_work(
    runner: BackgroundRunner, qtbot: QtBot
) -> None:
    done: Future[int] = Future()
    results: list[int] = []
    runner.watch(done, results.append, lambda _error: None)
    runner.close()
    done.set_result(1)
    QCoreApplication.processEvents()
    assert results == []
