"""Garbage is collected on the GUI thread alone while workers of the window may run."""

from __future__ import annotations

import gc
import threading
from typing import Any

from pytestqt.qtbot import QtBot

from inspector.ui.session.bridge import BackgroundRunner

ALLOCATED = 50_000
"""Containers: enough for dozens of automatic collections."""


class Cyclic:
    """Refers to itself, as widgets do through their slots, and notes the thread on which it
    ends."""

    def __init__(self, ended_on: list[int]) -> None:
        self.ended_on, self.itself = ended_on, self

    def __del__(self) -> None:
        self.ended_on.append(threading.get_ident())


def test_a_cycle_ends_on_the_gui_thread_however_much_a_worker_allocates(qtbot: QtBot) -> None:
    gc.collect()
    runner = BackgroundRunner()
    ended_on: list[int] = []
    done: list[Any] = []
    Cyclic(ended_on)
    runner.run(lambda: [[] for _ in range(ALLOCATED)], done.append, done.append)
    qtbot.waitUntil(lambda: done != [] and ended_on != [])
    runner.close()
    assert ended_on == [threading.get_ident()]
    assert len(done[0]) == ALLOCATED


def test_automatic_collections_are_on_again_when_the_last_runner_is_closed(qtbot: QtBot) -> None:
    assert gc.isenabled()
    first, second = BackgroundRunner(), BackgroundRunner()
    first.close()
    first.close()
    assert not gc.isenabled()
    second.close()
    assert gc.isenabled()


def test_who_collects_by_hand_keeps_it_so(qtbot: QtBot) -> None:
    gc.disable()
    try:
        BackgroundRunner().close()
        assert not gc.isenabled()
    finally:
        gc.enable()
