from __future__ import annotations

from inspector.ui.shell.navigation import LIMIT, Navigation, Place


def test_back_and_forward_walk_the_places_visited() -> None:
    navigation = Navigation()
    for name in ("a", "b"):
        navigation.visit(Place(name))
    assert navigation.back() == Place("a")
    assert navigation.back() == Place()
    assert navigation.back() is None
    assert navigation.forward() == Place("a")


def test_a_new_place_forgets_what_was_ahead() -> None:
    navigation = Navigation()
    navigation.visit(Place("a"))
    navigation.back()
    navigation.visit(Place("b"))
    assert navigation.forward() is None
    assert navigation.here == Place("b")


def test_the_same_place_is_not_visited_twice() -> None:
    navigation = Navigation()
    navigation.visit(Place("a", 3))
    navigation.visit(Place("a", 3))
    assert navigation.back() == Place()


def test_the_oldest_places_are_forgotten() -> None:
    navigation = Navigation()
    for number in range(LIMIT * 2):
        navigation.visit(Place(str(number)))
    steps = 0
    while navigation.back() is not None:
        steps += 1
    assert steps == LIMIT - 1
