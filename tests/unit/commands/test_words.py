from __future__ import annotations

import builtins
import io
import signal
from collections.abc import Mapping
from typing import Any

import pytest

import inspector.__main__ as entry
from inspector.commands.app import run
from inspector.commands.close import full_number, guarded, parse_handle
from inspector.commands.gc import sentence
from inspector.commands.run_program import parse_level
from inspector.commands.shot import parse_size
from inspector.commands.subcommands import SUBCOMMANDS
from inspector.commands.support import window
from inspector.commands.support.child import environment, exit_status
from inspector.commands.support.live_line import LiveLine, live_text, summary_lines
from inspector.commands.support.rows import gc_value, row_value, snapshot_value
from inspector.errors import AttachError, UsageError
from inspector.model.snapshot import UNKNOWN, Outer
from inspector.plain_text import printable
from inspector.session.protocol import CloseAnswer, GcReport
from inspector.vocabulary import Level, Reference, Resource
from tests.helpers.snapshots import T0, Row, World, snapshot_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("#88.1", 1 << 32 | 88 << 1),
        ("88.1", 1 << 32 | 88 << 1),
        ("4294967472", 4294967472),
        ("0x1000000b0", 0x1000000B0),
    ],
)
def test_a_handle_is_written_as_shown_or_as_a_number(text: str, number: int):
    assert parse_handle(text) == number


@pytest.mark.parametrize("text", ["", "milk", "#88", "-3", "0", str(2**64), "88.1.1"])
def test_what_is_no_handle_is_wrong_use(text: str):
    with pytest.raises(UsageError):
        parse_handle(text)


def test_a_foreign_handle_gets_the_bit_that_is_not_shown():
    foreign = Row(5, foreign=True)
    snapshot = snapshot_of([foreign, Row(6)])
    assert full_number(parse_handle("#5.1"), snapshot) == foreign.id
    assert full_number(parse_handle("#6.1"), snapshot) == Row(6).id
    assert full_number(parse_handle("#7.1"), snapshot) == parse_handle("#7.1")


def test_what_others_hold_would_be_refused():
    held = CloseAnswer(1, "would_close", "", ("handle #2.1",))
    assert guarded(held).outcome == "refused"
    assert guarded(held).reason == "still held by handle #2.1"
    free = CloseAnswer(1, "would_close", "")
    assert guarded(free) == free


def test_unknown_values_are_null():
    snapshot = snapshot_of(
        [
            Row(
                1,
                strong=UNKNOWN,
                weak=UNKNOWN,
                proxies=UNKNOWN,
                in_flight=UNKNOWN,
                native_refs=UNKNOWN,
                age_secs=float("nan"),
                site=0,
            )
        ]
    )
    row = row_value(snapshot, 0)
    unknown = (
        "strong",
        "weak",
        "proxies",
        "native_refs",
        "in_flight",
        "created_at",
        "site",
        "owner_thread",
    )
    assert {name: row[name] for name in unknown} == dict.fromkeys(unknown)


def test_a_trait_has_an_inner_and_an_outer_count():
    world = World(types=("Database",), traits={"Database": Outer.ARC})
    rows = [
        Row(1, "Database", strong=4, native_refs=3, inner_strong=2, outer_strong=3),
        Row(2, "Database", strong=UNKNOWN),
    ]
    told = [row_value(snapshot_of(rows, world=world), row) for row in (0, 1)]
    assert [
        [each[name] for name in ("strong", "inner_strong", "outer_strong", "outer")]
        for each in told
    ] == [
        [4, 2, 3, "arc"],
        [None, None, None, "arc"],
    ]


def test_a_boxed_trait_says_that_it_is_boxed_and_what_is_no_trait_has_neither():
    world = World(types=("Database", "TodoItem"), traits={"Database": Outer.BOX})
    snapshot = snapshot_of(
        [Row(1, "Database", strong=2, inner_strong=2), Row(2, "TodoItem")], world=world
    )
    told = [row_value(snapshot, row) for row in (0, 1)]
    assert [
        [each[name] for name in ("inner_strong", "outer_strong", "outer")] for each in told
    ] == [[2, None, "box"], [None] * 3]


def test_a_double_free_to_come_is_a_number_and_not_unknown():
    assert (
        row_value(snapshot_of([Row(1, strong=1, proxies=2, native_refs=-1)]), 0)["native_refs"]
        == -1
    )


def test_lost_counts_are_part_of_the_object():
    assert snapshot_value(snapshot_of([Row(1)], lost={"events": 7}), ())["lost"] == {"events": 7}


def test_a_collection_in_one_sentence():
    report = GcReport(
        collected=312, handles_released=40, closes_queued=2, still_pending=4, took_secs=0.038
    )
    assert sentence(report) == (
        "freed 312 objects, released 40 handles, 2 closes queued, 4 still pending, took 38 ms"
    )
    stuck = GcReport(
        collected=1,
        handles_released=1,
        closes_queued=0,
        still_pending=0,
        took_secs=0.001,
        uncollectable=3,
    )
    assert sentence(stuck).endswith("3 objects cannot be collected")


def test_a_runtime_that_does_not_say_how_much_it_collected_is_not_said_to_have_freed_nothing():
    report = GcReport(None, 3, 0, 0, 0.5)
    assert sentence(report).startswith("released 3 handles, ")
    assert gc_value(report)["collected"] is None


def test_the_summary_at_the_end_names_what_was_left_by_type():
    rows = [
        Row(1, "Journal", resource=Resource.DRAINING),
        Row(2),
        Row(3),
        Row(4, reference=Reference.DROPPED),
    ]
    lines = summary_lines(snapshot_of(rows))
    assert lines[0] == "arc-inspector: 3 handles alive at the end, 1 pending close"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["Journal", "TodoItem"]


def test_without_a_snapshot_the_summary_says_so():
    assert summary_lines(None) == ["arc-inspector: the program was never seen"]


def test_the_live_line_says_state_and_counts():
    assert live_text(snapshot_of([Row(1), Row(2)])) == (
        "app.py (4711): live · 2 handles · 0 pending closes"
    )


class Terminal(io.StringIO):
    """A terminal that keeps the text written to it."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_is_kept_up_to_date_and_cleared_for_the_summary():
    terminal = Terminal()
    line = LiveLine(terminal)
    line.on_snapshot(snapshot_of([Row(1)]))
    line.on_snapshot(snapshot_of([Row(1), Row(2)], at=T0 + 1))
    assert terminal.getvalue() == "\r\x1b[Kapp.py (4711): live · 1 handle · 0 pending closes"
    line.summarise(snapshot_of([]))
    assert terminal.getvalue().endswith(
        "\r\x1b[Karc-inspector: 0 handles alive at the end, 0 pending closes\n"
    )


def test_in_a_file_there_is_only_the_summary():
    file = io.StringIO()
    line = LiveLine(file)
    line.on_snapshot(snapshot_of([Row(1)]))
    assert file.getvalue() == ""


def test_nothing_that_a_target_says_drives_the_terminal():
    assert printable("a\x1b[31mb\x07\u202ec") == "a\ufffd[31mb\ufffd\ufffdc"


@pytest.mark.parametrize(
    ("code", "status"), [(0, 0), (7, 7), (-signal.SIGKILL, 137), (-signal.SIGTERM, 143)]
)
def test_an_exit_status_is_that_of_a_shell(code: int, status: int):
    assert exit_status(code) == status


def test_a_child_of_a_source_tree_finds_the_package_and_keeps_its_own_paths():
    paths = environment({"PYTHONPATH": "/own"})["PYTHONPATH"].split(":")
    assert paths[0] == "/own"
    assert len(paths) == 2
    assert environment({"PYTHONPATH": ":".join(paths)})["PYTHONPATH"].split(":") == paths


def test_levels_are_named():
    assert parse_level("History") is Level.HISTORY
    with pytest.raises(UsageError):
        parse_level("everything")


def test_sizes_are_written_with_a_cross():
    assert parse_size("900x600") == (900, 600)
    with pytest.raises(UsageError):
        parse_size("900")
    for text in ("0x10", "99999x99999", "9" * 5000 + "x1", "1x1x1"):
        with pytest.raises(UsageError, match="at most 16384"):
            parse_size(text)


def test_without_a_display_the_window_says_what_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AttachError, match=r"no display.*arc-inspector top PID"):
        window.require_display()
    monkeypatch.setattr("inspector.commands.attach.ensure_possible", lambda _pid: None)
    assert run(["attach", "4711", "--inject"]) == 3
    assert "arc-inspector attach 4711 --inject --headless" in capsys.readouterr().err
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    window.require_display()


def test_an_interrupt_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("inspector.commands.ps.require_support", interrupted)
    assert run(["ps"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("missing", "line"),
    [
        ("typer", "the commands are not installed (there is no typer): pip install '{}[cli]'"),
        ("PySide6", "the window is not installed (there is no PySide6): pip install '{}[viewer]'"),
    ],
)
def test_without_the_packages_of_an_extra_one_line_says_how_to_install_them(
    missing: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    hide(missing, monkeypatch)
    monkeypatch.setattr("sys.argv", ["arc-inspector", "ps"])
    assert entry.main() == 3
    assert capsys.readouterr() == ("", f"arc-inspector: {line.format('arc-inspector')}\n")


@pytest.mark.parametrize("words", [[], ["--help"], ["help"]])
def test_an_installation_without_the_commands_prints_their_help(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    hide("typer", monkeypatch)
    monkeypatch.setattr("sys.argv", ["arc-inspector", *words])
    assert entry.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert "The commands: pip install 'arc-inspector[cli]'" in lines
    shown = [line.split() for line in lines if line.startswith("  ")]
    assert [words[0] for words in shown] == [each.name for each in SUBCOMMANDS]
    assert all(len(words) > 2 for words in shown)


def test_a_missing_module_that_no_extra_brings_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    hide("inspector.gone", monkeypatch)
    with pytest.raises(ModuleNotFoundError, match="gone"):
        entry.main()


def hide(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command line miss a module."""
    real = builtins.__import__

    def without(name: str, *args: Any, **keywords: Mapping[str, Any]) -> Any:
        if name == "inspector.commands.app":
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return real(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
