"""Holders that the collector does not know, and cycles through them, in a real program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from inspector.attach.outside.memory import OutsideError, OutsideMemory
from inspector.attach.outside.memory_holders import HolderSearch, MemoryHolder
from inspector.attach.outside.python import find_python
from inspector.attach.outside.surroundings import Around, Surroundings
from tests.helpers.command_line import run_command
from tests.helpers.packages import NoPackageError, package_folder
from tests.helpers.targets import Target, start_target

RPDS = "rpds-py==0.20.0"
GIT = ("pygit2==1.18.2", "cffi==2.0.0")


def started(*packages: str) -> Iterator[Target]:
    """The program, without an environment of ours."""
    try:
        folders = [str(package_folder(each)) for each in packages]
    except NoPackageError as error:
        pytest.skip(str(error))
    with start_target("native_holder_steps", *folders, env={"PYTHONPATH": ""}) as running:
        yield running


@pytest.fixture
def target() -> Iterator[Target]:
    yield from started(RPDS)


def holders(target: Target, address: int) -> tuple[MemoryHolder, ...]:
    """The holders of an object, by the target's memory."""
    memory = OutsideMemory(target.pid)
    around = Surroundings(memory, find_python(target.pid))
    return HolderSearch(memory, around).holders_of(address).holders


def named(found: tuple[MemoryHolder, ...]) -> list[tuple[str, bool]]:
    """Class of each object that holds, and whether the collector knows it."""
    return [(each.name, each.is_collected) for each in found if each.kind is Around.OBJECT]


def test_an_object_s_only_holder_is_named_whatever_it_is(target: Target) -> None:
    places = target.ask("held")
    unknown = [each for each in named(holders(target, places["map"])) if not each[1]]
    assert unknown == [("rpds.HashTrieMap", False)]
    for kind in ("list", "dict"):
        found = named(holders(target, places[kind]))
        assert (kind, True) in found
        assert all(is_collected for _, is_collected in found)


def test_an_ended_object_has_no_holder_unknown_to_the_collector(
    target: Target,
) -> None:
    found = named(holders(target, target.ask("held")["ended"]))
    assert [name for name, is_collected in found if not is_collected] == []


def test_a_search_that_is_given_up_ends_at_once(target: Target) -> None:
    def give_up() -> None:
        raise OutsideError("given up")

    memory = OutsideMemory(target.pid)
    search = HolderSearch(memory, Surroundings(memory, find_python(target.pid)), give_up)
    with pytest.raises(OutsideError, match="given up"):
        search.holders_of(target.ask("held")["map"])
    assert memory.effort.read_bytes == 0


def test_a_holder_in_c_is_named_that_keeps_another_object() -> None:
    for target in started(RPDS, *GIT):
        place = target.ask("blobs 3")
        found = Counter(name for name, is_collected in named(holders(target, place)))
        assert found["_pygit2.Blob"] == 3
        assert ("_pygit2.Blob", False) in named(holders(target, place))


def test_a_cycle_through_a_class_that_the_collector_does_not_know_is_found_with_its_cut(
    target: Target,
) -> None:
    target.ask("cycle 20")
    done = run_command("attach", target.pid, "--inject", "--headless", "--keep")
    assert done.status == 0, done
    told = run_command("cycles", target.pid, "--json")
    assert told.status == 1, told
    assert (told.json["count"], told.json["is_cut"]) == (20, False)
    for cycle in told.json["cycles"]:
        request, mapping = cycle["nodes"]
        assert (request["side"], mapping["side"]) == ("python", "native")
        assert request["text"].startswith("__main__.Request at 0x")
        assert mapping["text"].startswith("rpds.HashTrieMap at 0x")
        assert cycle["cut"] == request["edge"] == f"attribute headers of {request['text']}"
        assert mapping["handle"]
        assert not mapping["is_exact"]
    assert len({cycle["nodes"][1]["handle"] for cycle in told.json["cycles"]}) == 20


def test_the_holder_that_leads_back_to_the_object_is_told(target: Target) -> None:
    target.ask("cycle 1")
    run_command("attach", target.pid, "--inject", "--headless", "--keep")
    rows = run_command("handles", target.pid, "--json").json["handles"]
    told = run_command("holders", target.pid, rows[0]["id"], "--json")
    assert told.status == 0, told
    (holder,) = told.json["unseen"]
    assert holder["text"].startswith("the object itself, rpds.HashTrieMap at 0x")
    assert holder["held"].startswith("attribute headers of __main__.Request at 0x")
    assert (holder["is_certain"], holder["steps"] > 0) == (True, True)
