"""The number of objects does not depend on the order in which shares are added."""

from __future__ import annotations

from itertools import permutations

from inspector.model.objects import object_count
from tests.helpers.snapshots import T0, Row, snapshot_of


def test_a_half_of_an_object_is_rounded_alike_in_every_order() -> None:
    shares = (2, 3, 3, 3, 7, 7, 7, 7, 7, 7, 7)
    orders = {tuple(shares[at:] + shares[:at]) for at in range(len(shares))}
    counts = {
        object_count(snapshot_of([Row(slot, proxies=n) for slot, n in enumerate(order, 1)], at=T0))
        for order in orders
    }
    assert counts == {3}


def test_each_handle_of_an_object_is_a_share_of_it() -> None:
    for order in permutations((1, 2, 2)):
        rows = [Row(slot, proxies=n) for slot, n in enumerate(order, 1)]
        assert object_count(snapshot_of(rows, at=T0)) == 2
