"""A closing method of a declared class: its row is closing until the proxy was asked afterwards, so
no viewer meets a closed resource that is called open."""

from __future__ import annotations

import threading
from collections.abc import Callable

from inspector.vocabulary import Resource
from tests.unit.agent.adapters.following import Follower


class Gate:
    """Tells each time when the adapter asks whether it is shut."""

    def __init__(self) -> None:
        self.shut = False
        self.may_end = threading.Event()
        self.on_ask: Callable[[], None] = lambda: None

    @property
    def is_shut(self) -> bool:
        answer = self.shut
        self.on_ask()
        return answer

    def close(self) -> None:
        assert self.may_end.wait(60)
        self.shut = True


DECLARED = {"class": f"{__name__}.Gate", "released": "is_shut", "close": "close"}


def resources(follower: Follower) -> list[Resource]:
    return [row.resource for row in follower.recorder.table_rows() if row.type == "Gate"]


def test_a_row_is_closing_until_the_proxy_was_asked_after_the_method(follower: Follower) -> None:
    follower.follow(DECLARED)
    gate = Gate()
    seen: list[list[Resource]] = []
    gate.on_ask = lambda: seen.append(resources(follower))
    gate.may_end.set()
    gate.close()
    assert seen == [[Resource.CLOSING]]
    assert resources(follower) == [Resource.CLOSED]


def test_a_close_that_was_met_running_ends_closed_and_is_never_called_open(
    follower: Follower,
) -> None:
    gate = Gate()
    closing = threading.Thread(target=gate.close)
    closing.start()
    adapter = follower.follow(DECLARED)
    adapter.poll()
    assert resources(follower) == [Resource.CLOSING]

    def let_it_end() -> None:
        gate.may_end.set()
        closing.join()

    gate.on_ask = let_it_end
    while not gate.may_end.is_set():
        adapter.poll()
    assert resources(follower) == [Resource.CLOSED]
