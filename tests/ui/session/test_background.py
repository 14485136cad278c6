"""Work of which only the newest counts."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject
from pytestqt.qtbot import QtBot

from inspector.ui.session.background import LatestWork
from inspector.ui.session.bridge import BackgroundRunner


class Held:
    """Work that lasts until it is released, and its outcome."""

    def __init__(self) -> None:
        self.wished: int | None = 1
        self.begun: list[int] = []
        self.results: list[int] = []
        self.errors: list[str] = []
        self.may_end = threading.Event()

    def wish(self) -> Callable[[], int] | None:
        number = self.wished
        if number is None:
            return None

        def work() -> int:
            self.begun.append(number)
            self.may_end.wait(10)
            if number < 0:
                raise ValueError(f"no {number}")
            return number

        return work

    def fail(self, error: BaseException) -> None:
        self.errors.append(str(error))


@pytest.fixture
def held() -> Iterator[Held]:
    made = Held()
    yield made
    made.may_end.set()


@pytest.fixture
def owner(qtbot: QtBot) -> QObject:
    return QObject()


@pytest.fixture
def work(owner: QObject, runner: BackgroundRunner, held: Held) -> LatestWork[int]:
    return LatestWork(owner, runner, held.wish, on_result=held.results.append, on_error=held.fail)


def test_what_is_wished_is_done_on_another_thread_and_told_on_this_one(
    qtbot: QtBot, owner: QObject, runner: BackgroundRunner
) -> None:
    seen: list[tuple[int, int]] = []
    LatestWork(
        owner,
        runner,
        lambda: threading.get_ident,
        on_result=lambda other: seen.append((other, threading.get_ident())),
        on_error=print,
    ).ask()
    qtbot.waitUntil(lambda: bool(seen))
    other, here = seen[0]
    assert other != here == threading.get_ident()


def test_nothing_wished_is_nothing_done(work: LatestWork[int], held: Held) -> None:
    held.wished = None
    work.ask()
    assert not work.is_busy


def test_asked_many_times_meanwhile_it_is_done_once_more_and_as_wished_last(
    qtbot: QtBot, work: LatestWork[int], held: Held
) -> None:
    work.ask()
    for number in (2, 3, 4):
        held.wished = number
        work.ask()
    assert work.is_busy
    held.may_end.set()
    qtbot.waitUntil(lambda: held.results == [1, 4])
    qtbot.wait(20)
    assert (held.begun, work.is_busy) == ([1, 4], False)


def test_what_nobody_wishes_any_more_is_not_done_again(
    qtbot: QtBot, work: LatestWork[int], held: Held
) -> None:
    work.ask()
    work.ask()
    held.wished = None
    held.may_end.set()
    qtbot.waitUntil(lambda: held.results == [1])
    assert not work.is_busy


def test_a_result_of_a_round_before_is_dropped(
    qtbot: QtBot, work: LatestWork[int], held: Held
) -> None:
    work.ask()
    work.ask()
    work.forget()
    assert not work.is_busy
    held.wished = 9
    work.ask()
    held.may_end.set()
    qtbot.waitUntil(lambda: held.results == [9])
    qtbot.wait(20)
    assert held.results == [9]


def test_forgotten_while_its_result_is_told_it_is_not_done_again(
    qtbot: QtBot, owner: QObject, runner: BackgroundRunner, held: Held
) -> None:
    def take(number: int) -> None:
        held.results.append(number)
        work.forget()

    work = LatestWork(owner, runner, held.wish, on_result=take, on_error=held.fail)
    work.ask()
    work.ask()
    held.may_end.set()
    qtbot.waitUntil(lambda: held.results == [1])
    qtbot.wait(20)
    assert (held.results, work.is_busy) == ([1], False)


def test_an_error_is_told_and_what_was_asked_meanwhile_is_done_nevertheless(
    qtbot: QtBot, work: LatestWork[int], held: Held
) -> None:
    held.wished = -1
    work.ask()
    held.wished = 2
    work.ask()
    held.may_end.set()
    qtbot.waitUntil(lambda: held.results == [2])
    assert held.errors == ["no -1"]


def test_an_owner_that_is_dropped_while_something_is_done_hears_nothing_and_is_not_kept(
    qtbot: QtBot, runner: BackgroundRunner, held: Held
) -> None:
    class Owner(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.work = LatestWork(self, runner, held.wish, on_result=self.take, on_error=held.fail)

        def take(self, number: int) -> None:
            held.results.append(number)
            self.objectName()  # raises once Qt deleted it

    owner = Owner()
    owner.work.ask()
    qtbot.waitUntil(lambda: held.begun == [1])
    gone = weakref.ref(owner)
    owner.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    kept = owner  # another name for it, as an exception's frame may be
    held.may_end.set()
    marker: list[str] = []
    runner.run(lambda: "after it", marker.append, held.fail)
    qtbot.waitUntil(lambda: bool(marker))
    qtbot.wait(20)
    assert (held.results, held.errors) == ([], [])
    del owner, kept
    gc.collect()
    assert gone() is None
