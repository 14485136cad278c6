from __future__ import annotations

from inspector.model.holder_groups import NOTHING, grouped_holders, summary
from inspector.model.holders import PathStep, RetainerPath, Retainers


def held(place: int, root: str = "global app.CACHE", *, rooted: bool = True) -> Retainers:
    steps = (PathStep("global", root), PathStep("item", f"[{place}] of a list of {place + 9}"))
    return Retainers((RetainerPath(steps, rooted),), 1, 100, False, 0.001)


def test_paths_that_differ_in_numbers_alone_are_one_group() -> None:
    groups = grouped_holders({1: held(3), 2: held(44), 3: held(5, "global app.LATER")})
    assert [(group.expression, group.handles) for group in groups] == [
        ("global app.CACHE → [*] of a list of *", (1, 2)),
        ("global app.LATER → [*] of a list of *", (3,)),
    ]
    assert summary(groups[0], 3) == "2 of 3 looked at are held this way"
    assert summary(groups[1], 3) == "1 of 3 looked at is held this way"


def test_the_root_has_a_short_name() -> None:
    assert grouped_holders({1: held(3)})[0].root == "CACHE"
    local = grouped_holders({1: held(3, "local item of add")})[0]
    assert local.root == "local item of add"
    garbage = grouped_holders({1: held(3, rooted=False)})[0]
    assert garbage.root == "no root found"


def test_an_object_that_nothing_in_python_holds_is_said() -> None:
    nothing = Retainers((), 0, 100, False, 0.001)
    assert grouped_holders({1: nothing})[0].expression == NOTHING
