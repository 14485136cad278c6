"""Declarations in a real process.

From its own files, from a viewer's configuration, and from a hostile peer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspector.vocabulary import Reference, Resource
from tests.helpers.command_line import run_command
from tests.helpers.tables import ask, connect, read_table
from tests.helpers.targets import Target, start_target

SESSION = '[[proxy]]\nclass = "__main__.Session"\nhandle = "_handle"\nclose = "close"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder for this test's targets, with a configuration folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def target(folder: Path) -> Iterator[Target]:
    """A target for which nothing is declared yet."""
    with start_target("declared_steps") as started:
        yield started


def configure(folder: Path, text: str, *, is_agreed: bool = True) -> None:
    """The declarations of this person for every process, with consent."""
    (folder / "config" / "arc-inspector").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "arc-inspector" / "adapters.toml").write_text(text)
    if is_agreed:
        run_command("adapters", "--trust")


def shown(target: Target, *words: str) -> list[dict[str, Any]]:
    """The handles that the command line shows."""
    done = run_command("handles", target.pid, "--json", *words)
    assert (done.status, done.err) == (0, ""), done
    handles: list[dict[str, Any]] = done.json["handles"]
    return handles


def test_what_the_project_declares_is_followed_from_the_start(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(
        SESSION.replace("[[proxy]]", "[[tool.arc-inspector.proxy]]")
    )
    with start_target("declared_steps") as target:
        target.ask("session kept")
        (row,) = shown(target)
        assert (row["type"], row["kind"], row["strong"]) == ("Session", "declared", None)
        assert row["site"].startswith("declared_steps.py:")
        assert row["created_thread"] == "MainThread"
        target.ask("drop kept")
        (slot,) = [
            slot for slot in read_table(target.ready["segment"]).rows if slot.type == "Session"
        ]
        assert (slot.reference, slot.resource) == (Reference.DROPPED, Resource.NEVER_CLOSED)
        assert target.finish() == 0


def test_the_variable_names_files_and_shipped_ones(folder: Path) -> None:
    (folder / "mine.toml").write_text(SESSION)
    with start_target(
        "declared_steps", env={"ARC_INSPECTOR_ADAPTERS": "mine.toml:socket:nonsense"}
    ) as target:
        target.ask("pair two")
        target.ask("session one")
        assert sorted(row["type"] for row in shown_with_notice(target, "nonsense")) == [
            "Session",
            "socket",
            "socket",
        ]


def shown_with_notice(target: Target, word: str) -> list[dict[str, Any]]:
    """As ``shown``, with one line on stderr that has a word in it."""
    done = run_command("handles", target.pid, "--json")
    assert word in done.err
    assert len(done.err.splitlines()) == 1
    handles: list[dict[str, Any]] = done.json["handles"]
    return handles


def test_what_the_viewer_declares_is_followed_in_a_target_that_runs(
    folder: Path, target: Target
) -> None:
    target.ask("session kept")
    assert shown(target) == []
    configure(folder, SESSION)
    before = target.ask("attributes")
    (row,) = shown(target)
    assert (row["type"], row["created_thread"], row["site"]) == ("Session", None, None)
    target.ask("session late")
    assert len(shown(target)) == 2
    closed = run_command("close", target.pid, row["id"], "--although-held", "--json")
    assert closed.status == 0, closed
    assert not target.ask("is_open kept")
    assert len(shown(target)) == 1
    target.ask("stop")
    assert target.ask("attributes") == before


def test_a_close_of_what_the_program_holds_is_refused_and_names_the_holder(
    folder: Path, target: Target
) -> None:
    configure(folder, SESSION)
    target.ask("session kept")
    (row,) = shown(target)
    refused = run_command("close", target.pid, row["id"])
    assert refused.status == 1
    assert "global __main__.KEPT" in refused.out + refused.err
    assert target.ask("is_open kept")


def test_what_is_wrong_with_the_configuration_is_one_line_and_the_command_goes_on(
    folder: Path, target: Target
) -> None:
    configure(folder, '[[proxy]]\nclass = "__main__.Session"\nhandel = "x"\n')
    done = run_command("handles", target.pid)
    assert done.status == 0
    assert done.err.splitlines() == [
        "arc-inspector: __main__.Session: handel is not understood, there are class, name, "
        "handle, released, close, close_with, "
        "owner_closes, closed_by, part_of, watch, made_by, hide, library, creates, clones, frees: "
        "adapters.toml"
    ]


def test_a_class_that_is_not_there_and_an_attribute_that_is_wrong_are_said(
    folder: Path, target: Target
) -> None:
    target.ask("session kept")
    configure(
        folder,
        (
            '[[proxy]]\nclass = "__main__.Sesion"\n[[proxy]]\nclass = '
            '"__main__.Session"\nhandle = "_hanlde"\n'
        ),
    )
    done = run_command("handles", target.pid)
    assert done.status == 0
    first, second = done.err.splitlines()
    assert first == (
        "arc-inspector: __main__.Sesion is not fully followed: __main__ has no Sesion: the viewer"
    )
    assert "AttributeError: 'Session' object has no attribute '_hanlde'" in second
    assert target.ask("is_open kept")


def test_the_state_of_each_declaration_is_listed(folder: Path, target: Target) -> None:
    configure(
        folder,
        SESSION + ('[[proxy]]\nclass = "colorsys.Thing"\n[[proxy]]\nclass = "wave.Wave_read"\n'),
    )
    target.ask("session kept")
    shown(target)
    done = run_command("adapters", target.pid, "--json")
    assert done.status == 0
    assert [
        (each["class"], each["followed"], each["rows"], each["waits_for"])
        for each in done.json["declared"]
    ] == [
        ("__main__.Session", True, 1, None),
        ("colorsys.Thing", False, 0, "colorsys is not imported yet"),
        ("wave.Wave_read", False, 0, "wave is not imported yet"),
    ]
    target.ask("load colorsys")
    target.ask("load wave")
    shown_with_notice(target, "colorsys has no Thing")
    states = run_command("adapters", target.pid)
    assert states.status == 1
    assert "not followed: colorsys has no Thing" in states.out
    assert "colorsys.Thing is not fully followed" in states.err


def test_a_file_can_be_checked_without_a_process(folder: Path) -> None:
    (folder / "mine.toml").write_text(SESSION)
    done = run_command("adapters", "--check", "mine.toml")
    assert (done.status, done.err) == (0, "")
    assert "close()" in done.out
    (folder / "mine.toml").write_text("[[proxy]]\nclass = 3\n")
    wrong = run_command("adapters", "--check", "mine.toml", "--json")
    assert wrong.status == 1
    assert wrong.json["troubles"] == ["3: not a short text: 3: mine.toml"]
    assert run_command("adapters", "--check", "none.toml").err == (
        "arc-inspector: No such file or directory: none.toml\n"
    )


def test_what_a_person_declares_is_used_once_they_agreed_to_the_code_that_it_runs(
    folder: Path, target: Target
) -> None:
    target.ask("session kept")
    configure(folder, SESSION, is_agreed=False)
    done = run_command("handles", target.pid, "--json")
    assert done.json["handles"] == []
    assert done.err.startswith(
        "arc-inspector: 1 declaration is not used until you agree to the code that they run"
    )
    assert "__main__.Session: _handle, close()" in run_command("adapters").out
    assert run_command("adapters", "--trust", "--json").json["agreed"] is True
    assert len(shown(target)) == 1
    configure(folder, SESSION.replace('"close"', '"wipe"'), is_agreed=False)
    assert "not used until you agree" in run_command("handles", target.pid).err
    trusted = run_command("handles", target.pid, env={"ARC_INSPECTOR_TRUST_DECLARATIONS": "1"})
    assert "until you agree" not in trusted.err


def test_declaring_is_written_into_the_audit_log(folder: Path, target: Target) -> None:
    configure(folder, SESSION)
    shown(target)
    acts = run_command("audit", target.pid, "--json").json["acts"]
    assert [(act["op"], act["outcome"], act["result"]) for act in acts] == [
        ("declare", "done", {"taken": 1})
    ]


@pytest.mark.parametrize(
    "declarations",
    [
        [None],
        [[[[[]]]]],
        [{"class": "os.system", "made_by": ["os.system"]}],
        [
            {
                "class": "__main__.Session",
                "handle": "__class__.__mro__.__len__()",
                "released": "__reduce__() raises",
            }
        ],
        [{"class": "__main__.Session", "handle": "x" * 100_000}],
        [{"class": f"a.b{number}"} for number in range(3000)],
        [{"library": "sys.modules", "name": "x", "creates": ["get"], "frees": ["pop"]}],
        [
            {"class": "builtins.int", "close": "bit_length"},
            {"class": "builtins.object"},
            {"class": "builtins.type", "close": "mro"},
        ],
    ],
)
def test_a_hostile_peer_gets_an_answer_and_the_target_goes_on(
    target: Target, declarations: list[Any]
) -> None:
    target.ask("session kept")
    with connect(target.ready["segment"], target.pid) as peer:
        answer = ask(peer, "declare", declarations=declarations)
    assert len(json.dumps(answer)) < 1 << 20
    target.ask("session other")
    assert target.ask("is_open kept")
    target.ask("stop")
    assert target.finish() == 0


@pytest.mark.parametrize("declarations", [3, "x", None, {"class": "a.b"}])
def test_what_is_no_list_is_refused(target: Target, declarations: object) -> None:
    with connect(target.ready["segment"], target.pid) as peer:
        assert (
            not peer.ask("declare", wait_secs=30, declarations=declarations).ok
            or not ask(peer, "adapters")["declared"]
        )
    assert target.finish() == 0
