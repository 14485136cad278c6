"""Names of threads: handed over at birth, and the program's own classes as they were afterwards."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from inspector.agent.thread_names import BIRTH, ThreadNames
from inspector.wire import lib


class ListeningLib:
    """Notes the names that are handed over."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}

    def ai_thread_name(self, tid: int, text: Any, length: int) -> int:
        self.names[tid] = bytes(text[0:length]).decode()
        return 0

    def __getattr__(self, name: str) -> Any:
        return getattr(lib, name)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> ListeningLib:
    listening = ListeningLib()
    monkeypatch.setattr("inspector.agent.thread_names.lib", listening)
    return listening


def test_threads_that_live_are_named_at_once(listening: ListeningLib) -> None:
    names = ThreadNames()
    names.attach()
    names.detach()
    assert listening.names[threading.get_native_id()] == threading.current_thread().name


@pytest.mark.skipif(
    not hasattr(threading.Thread, BIRTH), reason=("this Python names its threads for the system")
)
def test_a_thread_has_its_name_before_it_does_anything(listening: ListeningLib) -> None:
    seen: list[str | None] = []
    names = ThreadNames()
    names.attach()
    thread = threading.Thread(
        target=lambda: seen.append(listening.names.get(threading.get_native_id())),
        name="short-lived",
    )
    thread.start()
    thread.join()
    names.detach()
    assert seen == ["short-lived"]


def test_a_new_name_is_handed_over_with_the_next_report(
    listening: ListeningLib, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ThreadNames()
    monkeypatch.setattr(threading.current_thread(), "name", "renamed")
    assert names.report() == threading.active_count()
    assert listening.names[threading.get_native_id()] == "renamed"


def test_detaching_leaves_the_thread_class_as_it_was() -> None:
    before = dict(vars(threading.Thread))
    names = ThreadNames()
    names.attach()
    names.detach()
    names.detach()
    assert dict(vars(threading.Thread)) == before
