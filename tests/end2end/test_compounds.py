"""A record with objects on its way across the boundary, as a viewer sees it.

Counts, holders and history at each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inspector.model.balance import balance_of, of_object
from inspector.model.equation import CountEquation, equation_of, with_names
from inspector.model.snapshot import Snapshot
from inspector.session.live import LiveSession
from inspector.vocabulary import EventKind, Level
from tests.helpers.targets import Target, start_target
from tests.helpers.waiting import Follower


class Viewer:
    """Looks at one object of a target through a session."""

    def __init__(self, session: LiveSession, item: int) -> None:
        self.session = session
        self.item = item
        self.follower = Follower(session)

    def snapshot(self, strong: int) -> Snapshot:
        """The first in which the object has this strong count."""
        return self.follower.wait(
            lambda seen: any(seen.handles.strong[seen.handles.ids == self.item] == strong)
        )

    def equation(self, strong: int) -> tuple[CountEquation, dict[str, int]]:
        """The count of the object, and its native holders by name."""
        snapshot = self.snapshot(strong)
        holders = self.session.native_holders(self.item).result(30)
        (row,) = (snapshot.handles.ids == self.item).nonzero()[0]
        named = {holder.label: holder.count for holder in holders.named}
        return with_names(equation_of(snapshot.handles, int(row)), holders), named

    def parts(self, strong: int) -> tuple[int, dict[str, int], int]:
        """Proxies, native holders by name, and the unexplained rest."""
        equation, named = self.equation(strong)
        return equation.proxies, named, equation.unexplained


@contextmanager
def watched() -> Iterator[tuple[Target, Viewer]]:
    with start_target("planning") as target:
        session = LiveSession(Path(target.ready["segment"]), level=Level.HISTORY)
        viewer = Viewer(session, target.ask("item"))
        try:
            yield target, viewer
        finally:
            viewer.follower.leave()
            session.end()
            session.join()
        assert target.finish() == 0


def test_a_record_s_references_are_in_flight_then_fields_then_proxies_and_nothing_is_left() -> None:
    with watched() as (target, viewer):
        assert viewer.parts(1) == (1, {}, 0)
        target.ask("lower 3")
        assert viewer.parts(4) == (1, {"in flight": 3}, 0)
        target.ask("end")
        assert viewer.parts(1) == (1, {}, 0)
        target.ask("keep 2")
        assert viewer.parts(3) == (1, {"board.columns": 2}, 0)
        target.ask("fetch")
        assert viewer.parts(5) == (1, {"board.columns": 2, "in flight": 2}, 0)
        target.ask("lift")
        target.ask("end")
        target.ask("lower 1")  # another count, so that the viewer's is of now
        assert viewer.parts(6) == (3, {"board.columns": 2, "in flight": 1}, 0)
        target.ask("end")
        target.ask("forget")
        assert viewer.parts(1) == (1, {}, 0)


def test_a_record_whose_lowering_fails_half_way_leaves_nothing_and_a_matched_history() -> None:
    with watched() as (target, viewer):
        viewer.snapshot(1)
        target.tell("break")
        assert target.expect("error")["type"] == "StaleHandleError"
        target.ask("lower 2")
        snapshot = viewer.snapshot(3)
        events = viewer.session.read_events().result(30).events
        mine = events.take(of_object(events, snapshot, viewer.item))
        kinds = [EventKind(kind) for kind in mine.kinds.tolist()]
        assert [kind for kind in kinds if kind in (EventKind.CLONE, EventKind.RELEASE)] == [
            EventKind.CLONE,
            EventKind.RELEASE,
            EventKind.CLONE,
            EventKind.CLONE,
        ]
        named = {snapshot.types[int(index)].name for index in mine.types if index}
        assert named == {"TodoItem"}
        snapshot = viewer.follower.wait(lambda seen: set(events.sites.tolist()) <= {0, *seen.sites})
        balance = balance_of(mine, snapshot.sites)
        assert sum(site.net for site in balance.sites) == 2
