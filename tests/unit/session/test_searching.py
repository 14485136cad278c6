"""A search that was given up tells its owner nothing more."""

from __future__ import annotations

import threading

from inspector.session.searching import Search
from inspector.wire.messages import Answer

PROGRESS = Answer(1, True, "", "", {"looked_at": 10, "found": 1})


def test_giving_up_waits_for_the_progress_that_is_being_told() -> None:
    begun, may_end, told = threading.Event(), threading.Event(), []

    def tell(progress: object) -> None:
        told.append(progress)
        begun.set()
        assert may_end.wait(30)

    search = Search(tell)
    session = threading.Thread(target=search.hear, args=(PROGRESS,))
    session.start()
    assert begun.wait(30)
    owner = threading.Thread(target=search.give_up)
    owner.start()
    owner.join(0.2)
    assert owner.is_alive(), "it was given up while the owner was told"
    may_end.set()
    session.join()
    owner.join()
    search.hear(PROGRESS)
    assert len(told) == 1
