"""The comparison of the safety suite finds every difference; the set of programs is complete."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.helpers.safety.comparing import GROUPS, THE_REST, differences
from tests.helpers.safety.document import DOCUMENT
from tests.helpers.safety.programs import PROGRAMS, Comes, Program, Way
from tests.helpers.safety.runs import PROGRAM_FOLDER, Moment, Run

PROGRAM = Program("plain", "is ordinary")
FACTS = {
    "descriptors": {"0": "/dev/null"},
    "threads": ["python"],
    "children": 0,
    "mappings": {"memory": 5, "/usr/lib/libc.so.6": 5},
    "caught signals": "0000000000000002",
    "blocked signals": "0000000000000000",
    "memory": 6000,
    "limits": "Max open files 1024",
    "view: thread objects": ["MainThread False"],
    "view: finders": ["_frozen_importlib.BuiltinImporter"],
    "view: birth of a thread": "threading.Thread._set_native_id",
    "view: exit functions": 0,
    "view: collector's callbacks": 0,
    "view: modules": ["sys"],
    "view: lowest descriptor": 3,
}
OWN = {
    "threads": ["ai-worker", "python"],
    "mappings": {
        "memory": 30,
        "/usr/lib/libc.so.6": 5,
        "/x/_native.abi3.so": 5,
        "/x/arc-inspector-0/1-2.seg": 1,
        "memory that is executable": 1,
    },
    "caught signals": "0000000100000002",
    "memory": 20_000,
    "view: finders": ["inspector.agent.ImportWatch", "_frozen_importlib.BuiltinImporter"],
    "view: birth of a thread": "inspector.agent.name_at_birth",
    "view: exit functions": 2,
    "view: collector's callbacks": 1,
    "view: modules": ["inspector.agent", "json", "sys"],
}


def a_run(way: Way) -> Run:
    """A run without a difference."""
    has_agent = way.has_agent
    names = ("before", "during", "after")
    run = Run(
        {name: Moment(copy.deepcopy(FACTS), has_agent=False, was_left=False) for name in names},
        out=b"right\n",
    )
    if has_agent:
        run.moments["during"] = Moment(copy.deepcopy(FACTS | OWN), has_agent=True, was_left=False)
    if way is Way.INJECTED:
        left = copy.deepcopy(FACTS | OWN) | {
            name: FACTS[name] for name in ("threads", "view: finders", "view: birth of a thread")
        }
        left["mappings"].pop("/x/arc-inspector-0/1-2.seg")
        run.moments["after"] = Moment(
            left | {"view: collector's callbacks": 0}, has_agent=False, was_left=True
        )
    return run


def found(run: Run, way: Way = Way.INJECTED, program: Program = PROGRAM) -> list[str]:
    return [each.fact for each in differences(program, way, a_run(Way.WITHOUT), run)]


def fact(moment: str, name: str, value: object) -> Callable[[Run], None]:
    return lambda run: run.moments[moment].facts.__setitem__(name, value)  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", [Way.AGAIN, Way.INJECTED], ids=lambda way: way.value)
def test_what_an_agent_may_have_is_no_difference(way: Way) -> None:
    assert found(a_run(way), way) == []


WRONG = {
    "an agent's descriptor": (
        "descriptors",
        fact("during", "descriptors", {"0": "/dev/null", "4": "socket:"}),
    ),
    "a lost descriptor": ("descriptors", fact("after", "descriptors", {})),
    "another lowest number": (
        "view: lowest descriptor",
        fact("during", "view: lowest descriptor", 4),
    ),
    "a foreign thread": ("threads", fact("during", "threads", ["python", "python"])),
    "a thread that stays": ("threads", fact("after", "threads", ["ai-worker", "python"])),
    "a thread object": (
        "view: thread objects",
        fact("during", "view: thread objects", ["MainThread False", "ours True"]),
    ),
    "a child": ("children", fact("during", "children", 1)),
    "a segment that stays": ("mappings", fact("after", "mappings", OWN["mappings"])),
    "a foreign mapping": (
        "mappings",
        fact("during", "mappings", {**FACTS["mappings"], "/usr/lib/libfoo.so": 1}),
    ),  # type: ignore[dict-item]
    "a lost mapping": ("mappings", fact("during", "mappings", {"memory": 5})),
    "too many mappings": (
        "mappings",
        fact("during", "mappings", {"memory": 200, "/usr/lib/libc.so.6": 5}),
    ),
    "a caught signal": ("caught signals", fact("during", "caught signals", "0000000000000202")),
    "a blocked signal": ("blocked signals", fact("after", "blocked signals", "0000000000000200")),
    "much memory": ("memory", fact("during", "memory", 60_000)),
    "another limit": ("limits", fact("after", "limits", "Max open files 64")),
    "a finder that stays": ("view: finders", fact("after", "view: finders", OWN["view: finders"])),
    "a foreign function at a thread's birth": (
        "view: birth of a thread",
        fact("during", "view: birth of a thread", "other"),
    ),
    "exit functions": ("view: exit functions", fact("after", "view: exit functions", 3)),
    "a callback that stays": (
        "view: collector's callbacks",
        fact("after", "view: collector's callbacks", 1),
    ),
    "a foreign module": ("view: modules", fact("after", "view: modules", ["numpy", "sys"])),
    "other output": ("stdout", lambda run: setattr(run, "out", b"wrong\n")),
    "a line of ours": ("stderr", lambda run: setattr(run, "err", b"arc-inspector: hello\n")),
    "another status": ("exit status", lambda run: setattr(run, "status", -11)),
    "another result": ("result", lambda run: setattr(run, "result", b"wrong")),
    "a file": ("left behind", lambda run: run.left_behind.append("tmp/file")),
    "a hidden segment": (
        "left behind",
        lambda run: run.left_behind.append("runtime/arc-inspector-0/.12-34.seg"),
    ),
    "many segments": (
        "left behind",
        lambda run: run.left_behind.extend(
            f"runtime/arc-inspector-0/{pid}-1.seg" for pid in range(200)
        ),
    ),
    "a moment that is missing": ("moments", lambda run: run.moments.pop("after")),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_found(case: str) -> None:
    expected, spoil = WRONG[case]
    run = a_run(Way.INJECTED)
    spoil(run)
    assert found(run) == [expected]


def test_an_agent_that_stayed_away_is_found() -> None:
    assert found(a_run(Way.WITHOUT), Way.INJECTED) == ["arrival"]
    assert found(a_run(Way.INJECTED), Way.INJECTED, replace(PROGRAM, comes=Comes.REFUSED)) == [
        "arrival"
    ]


def test_a_refusal_is_one_line_of_a_prepared_program() -> None:
    refused = replace(PROGRAM, comes=Comes.REFUSED)
    run = replace(a_run(Way.WITHOUT), err=b"arc-inspector: no room\n")
    assert found(run, Way.PREPARED, refused) == []
    run.err += b"arc-inspector: no room\n"
    assert found(run, Way.PREPARED, refused) == ["stderr"]


def test_every_program_is_in_the_table_once_and_every_fact_in_one_group() -> None:
    files = {path.stem for path in PROGRAM_FOLDER.glob("*.py")} - {"steps"}
    assert sorted(program.name for program in PROGRAMS) == sorted(files)
    grouped = [fact for facts in GROUPS.values() for fact in facts]
    assert len(grouped) == len(set(grouped))
    assert THE_REST not in GROUPS


def test_the_document_has_a_row_for_each_program_and_no_other() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table, _, listed = text.partition("## Programs")
    names = [program.name for program in PROGRAMS]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == names
    assert re.findall(r"^- `(\w+)` ", listed, re.MULTILINE) == names
