"""The holders of an object, up to a root: the path that a person can follow to the line of code."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import threading
import types
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inspector.agent.holding import is_a, locals_of
from inspector.agent.retainers import MOST_HOLDERS, OWN_FOLDER, Search, search
from tests.helpers.targets import ROOT
from tests.helpers.unprepared import MINORS, interpreter

KEPT: list[object] = []
NAMED: dict[str, object] = {}


class Thing:
    """The class of the objects to find."""


class Owner:
    shared: object = None

    def __init__(self, thing: object) -> None:
        self.thing = thing


class Slotted:
    __slots__ = ("thing",)


class Liar:
    """Says that it is something else."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        raise AssertionError("code of the program ran")


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    yield
    KEPT.clear()
    NAMED.clear()
    Owner.shared = None


def on_thread(thing: object) -> dict[str, Any]:
    """The report of a search that runs where the agent's would.

    On a thread of its own, which is not looked at.
    """
    reports: list[dict[str, Any]] = []

    def run(thing: object) -> None:
        steps = search(thing, {})
        del thing
        while True:
            try:
                next(steps)
            except StopIteration as done:
                reports.append(done.value)
                return

    thread = threading.Thread(target=run, args=(thing,))
    thread.start()
    thread.join()
    return reports[0]


def paths(thing: object) -> list[list[str]]:
    """The paths as texts, without paths through this test's own running functions."""
    found = [[step["text"] for step in path["steps"]] for path in on_thread(thing)["paths"]]
    return [path for path in found if "running on" not in path[0]]


@pytest.mark.usefixtures("whole_heap")
def test_a_global_list_is_a_root_with_the_position() -> None:
    KEPT.extend([None, Thing()])
    assert paths(KEPT[1]) == [[f"global {__name__}.KEPT", "[1] of a list of 2"]]


@pytest.mark.usefixtures("whole_heap")
def test_an_attribute_is_told_with_its_owner_and_not_with_the_dict_between() -> None:
    NAMED["owner"] = Owner(Thing())
    assert vars(NAMED["owner"])  # there is a dict now
    (path,) = paths(NAMED["owner"].thing)  # type: ignore[attr-defined]
    assert path[:2] == [f"global {__name__}.NAMED", "['owner'] of a dict of 1"]
    assert path[2].startswith(f"attribute thing of {__name__}.Owner at")


@pytest.mark.usefixtures("whole_heap")
def test_a_slot_is_told_by_its_name() -> None:
    KEPT.append(Slotted())
    KEPT[0].thing = Thing()  # type: ignore[attr-defined]
    assert paths(KEPT[0].thing)[0][2].startswith("attribute thing of")


@pytest.mark.parametrize(
    ("file", "is_told"), [(f"{OWN_FOLDER}/worker.py", False), ("/srv/app/worker.py", True)]
)
def test_frames_of_the_tool_itself_hold_nothing_that_is_told(file: str, is_told: bool) -> None:
    """A thread of the tool also holds the object; only a thread of the program is reported."""
    names: dict[str, Any] = {"entered": threading.Event(), "leave": threading.Event()}
    exec(  # noqa: S102
        compile(
            ("def hold(things):\n    held = things.pop()\n    entered.set()\n    leave.wait()\n"),
            file,
            "exec",
        ),
        names,
    )
    things = [Thing()]
    look = weakref.ref(things[0])
    thread = threading.Thread(target=names["hold"], args=(things,), name="holder")
    thread.start()
    names["entered"].wait()
    report = on_thread(look())
    names["leave"].set()
    thread.join()
    told = [
        step["text"] for path in report["paths"] for step in path["steps"] if "held" in step["text"]
    ]
    assert bool(told) == is_told, report


@pytest.mark.usefixtures("whole_heap")
def test_a_class_attribute_is_a_root() -> None:
    Owner.shared = Thing()
    assert paths(Owner.shared) == [[f"class attribute {__name__}.Owner.shared"]]


def test_a_local_of_a_running_function_is_a_root_with_its_line_and_thread() -> None:
    entered, leave = threading.Event(), threading.Event()
    found: list[object] = []

    def hold() -> None:
        secret = Thing()
        found.append(weakref.ref(secret))
        entered.set()
        leave.wait()

    thread = threading.Thread(target=hold, name="holder")
    thread.start()
    entered.wait()
    report = on_thread(found[0]())  # type: ignore[operator]
    leave.set()
    thread.join()
    local = next(path["steps"] for path in report["paths"] if "secret" in path["steps"][0]["text"])
    assert local[0]["text"].endswith("hold, running on holder")
    assert local[0]["file"] == __file__
    assert local[0]["line"] > hold.__code__.co_firstlineno


@pytest.mark.usefixtures("whole_heap")
def test_the_shortest_path_comes_first() -> None:
    thing = Thing()
    KEPT.append([[[thing]]])
    NAMED["direct"] = thing
    found = paths(thing)
    assert [len(path) for path in found] == [2, 5]
    assert found[0][0].endswith(".NAMED")


@pytest.mark.usefixtures("whole_heap")
def test_two_holders_that_share_their_way_to_the_root_have_both_a_path() -> None:
    thing = Thing()
    KEPT.append(({"first": thing}, {"second": thing}))
    found = paths(thing)
    assert sorted(path[-1] for path in found) == [
        "['first'] of a dict of 1",
        "['second'] of a dict of 1",
    ]
    assert all(path[0] == f"global {__name__}.KEPT" for path in found)


def test_garbage_has_no_root() -> None:
    thing = Thing()
    knot: list[object] = [thing]
    knot.append(knot)
    gc.disable()
    try:
        del knot
        report = on_thread(thing)
    finally:
        gc.enable()
    rootless = [path for path in report["paths"] if not path["root"]]
    assert [path["steps"][-1]["text"] for path in rootless] == ["[0] of a list of 2"]


def test_what_native_code_keeps_is_a_root_of_its_own() -> None:
    thing = Thing()
    held = {3: thing}
    steps = Search(thing, {id(held): "handle 3"}).steps()
    report: dict[str, Any] = {}
    while not report:
        try:
            next(steps)
        except StopIteration as done:
            report = done.value
    assert "native code holds it: handle 3" in [
        path["steps"][0]["text"] for path in report["paths"]
    ]


def test_suspended_generators_and_closures_are_told() -> None:
    def generate(thing: object) -> Iterator[object]:
        yield thing

    KEPT.append(generate(Thing()))
    texts = [step for path in paths(next(KEPT[0])) for step in path]  # type: ignore[call-overload]
    assert any("local thing of suspended generator" in text for text in texts)

    def closing_over(thing: object) -> Callable[[], object]:
        return lambda: thing

    NAMED["function"] = closing_over(Thing())
    texts = [step for path in paths(NAMED["function"]()) for step in path]  # type: ignore[operator]
    assert "a variable of a closure" in texts


def test_more_holders_than_a_person_reads_are_counted_and_not_all_followed() -> None:
    thing = Thing()
    KEPT.extend([thing] for _ in range(100))
    report = on_thread(thing)
    assert len(report["paths"]) == MOST_HOLDERS


@pytest.mark.usefixtures("whole_heap")
def test_looking_runs_no_code_of_the_program() -> None:
    liar = Liar()
    KEPT.append(liar)
    NAMED["liar"] = OrderedDict(liar=liar)
    assert is_a(liar, Liar)
    assert len(paths(liar)) == 2


def test_looking_keeps_nothing_alive() -> None:
    KEPT.append(Thing())
    gone = weakref.ref(KEPT[0])
    on_thread(KEPT[0])
    KEPT.clear()
    assert gone() is None


def test_locals_of_a_frame_do_not_outlive_their_function() -> None:
    def running() -> Iterator[object]:
        secret = Thing()
        yield weakref.ref(secret)
        del secret
        yield None

    steps = running()
    gone: Any = next(steps)
    assert isinstance(steps, types.GeneratorType)
    assert [name for name, _ in locals_of(steps.gi_frame)] == ["secret"]
    next(steps)
    assert gone() is None


def test_what_the_program_got_from_locals_stays_as_it_is() -> None:
    def running() -> Iterator[dict[str, object]]:
        secret = Thing()
        yield locals()
        del secret

    steps = running()
    own = next(steps)
    assert isinstance(steps, types.GeneratorType)
    locals_of(steps.gi_frame)
    assert "secret" in own


def test_a_search_that_is_closed_half_way_lets_go_of_everything() -> None:
    thing = Thing()
    gone = weakref.ref(thing)
    KEPT.append([thing])
    steps = search(thing, {})
    next(steps)
    next(steps)
    steps.close()
    del steps, thing
    KEPT.clear()
    gc.collect()
    assert gone() is None


ON_ITS_OWN = """
import json, threading
from inspector.agent.retainers import search
class Thing: pass
KEPT = [None, (Thing(), 1)]
def run():
    steps = search(KEPT[1][0], {})
    while True:
        try: next(steps)
        except StopIteration as done: return reports.append(done.value)
reports = []
threading.Thread(target=run).start()
while not reports: pass
print(json.dumps([[step["text"] for step in path["steps"]] for path in reports[0]["paths"]]))
"""


@pytest.mark.parametrize("minor", MINORS)
def test_no_interpreter_has_the_search_find_itself(minor: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [interpreter(minor), "-c", ON_ITS_OWN],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [path for path in json.loads(done.stdout) if "running on" not in path[0]] == [
        ["global __main__.KEPT", "[1] of a list of 2", "[0] of a tuple of 2"]
    ]
