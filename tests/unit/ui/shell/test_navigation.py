from __future__ import annotations

from inspector.ui.shell.navigation import LIMIT, History, Place


def test_back_and_forward_walk_the_places_visited() -> None:
    history = History()
    for name in ("a", "b"):
        history.visit(Place(name))
    assert history.back() == Place("a")
    assert history.back() == Place()
    assert history.back() is None
    assert history.forward() == Place("a")


def test_a_new_place_forgets_what_was_ahead() -> None:
    history = History()
    history.visit(Place("a"))
    history.back()
    history.visit(Place("b"))
    assert history.forward() is None
    assert history.here == Place("b")


def test_the_same_place_is_not_visited_twice() -> None:
    history = History()
    history.visit(Place("a", 3))
    history.visit(Place("a", 3))
    assert history.back() == Place()


def test_the_oldest_places_are_forgotten() -> None:
    history = History()
    for number in range(LIMIT * 2):
        history.visit(Place(str(number)))
    steps = 0
    while history.back() is not None:
        steps += 1
    assert steps == LIMIT - 1
