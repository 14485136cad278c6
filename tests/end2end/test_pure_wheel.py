"""The pure wheel, which opens files where there is no native library."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from inspector.commands.subcommands import SUBCOMMANDS
from tests.helpers.command_line import run_command
from tests.helpers.pure_wheel import build_pure_wheel, install, run_pure
from tests.helpers.targets import start_target

NO_LIBRARY = "this installation has no native library"


class Case(NamedTuple):
    """The wheel, where it is installed, and files of a program with seven handles."""

    wheel: Path
    installed: Path
    picture: Path
    recording: Path


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("pure")
    picture, recording = folder / "shot.png", folder / "todo.arcs"
    with start_target("todo") as target:
        target.ask("many 7")
        assert run_command("shot", target.pid, "-o", str(picture)).status == 0
        assert run_command("record", target.pid, "-o", str(recording), "--for", "1s").status == 0
    wheel = build_pure_wheel(folder)
    return Case(wheel, install(wheel, folder / "site"), picture, recording)


def test_the_wheel_is_for_every_system_and_has_no_compiled_file(case: Case) -> None:
    assert case.wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(case.wheel) as archive:
        names = archive.namelist()
        (about,) = [name for name in names if name.endswith(".dist-info/WHEEL")]
        assert "Root-Is-Purelib: true" in archive.read(about).decode()
    assert [name for name in names if name.endswith((".so", ".pth", ".pyi"))] == []


@pytest.mark.parametrize("name", ["picture", "recording"])
def test_a_file_opens_with_the_same_rows_as_where_the_library_is(case: Case, name: str) -> None:
    path = str(getattr(case, name))
    shown = run_pure(case.installed, "open", path, "--json")
    assert (shown.status, shown.err) == (0, "")
    assert shown.json == run_command("open", path, "--json").json
    assert len(shown.json["handles"]) == 7


def test_a_recording_is_compared_and_exported(case: Case) -> None:
    picture, recording = str(case.picture), str(case.recording)
    compared = run_pure(case.installed, "diff", recording, picture, "--json")
    assert (compared.status, compared.err) == (0, "")
    assert "survived" in compared.out
    page = case.recording.with_suffix(".csv")
    exported = run_pure(case.installed, "export", recording, "--format", "csv", "-o", str(page))
    assert exported.status == 0, exported
    assert page.read_text(encoding="utf-8").count("TodoItem") >= 7


@pytest.mark.parametrize("words", [["ps"], ["handles", "1"]])
def test_a_command_on_processes_says_in_one_line_that_the_library_is_missing(
    case: Case, words: list[str]
) -> None:
    run_pure(case.installed, *words).assert_one_line_error(3, NO_LIBRARY, "open FILE")


def test_help_lists_every_command(case: Case) -> None:
    shown = run_pure(case.installed, "--help")
    assert shown.status == 0
    assert {each.name for each in SUBCOMMANDS} <= set(shown.out.split())


def test_the_schema_of_the_wheel_is_that_of_the_library(case: Case) -> None:
    program = (
        "from inspector.wire import schema, has_native_library as has; import json;"
        "print(json.dumps([has(), schema.LAYOUT_VERSION, schema.record_bytes('AiHandleSlot'),"
        "[[f.name, f.offset, f.type, f.size_bytes, f.count] for f in schema.fields('AiHeader')]]))"
    )
    from inspector.wire import schema

    own = [[f.name, f.offset, f.type, f.size_bytes, f.count] for f in schema.fields("AiHeader")]
    found = json.loads(run_pure(case.installed, program=program).out)
    assert found == [False, schema.LAYOUT_VERSION, schema.record_bytes("AiHandleSlot"), own]
