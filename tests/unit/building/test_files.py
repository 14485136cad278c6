"""Files that a build makes: the man page, the menu entry, the description, the pins of backends."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from building import backends, pure
from building.check_wheel import check_library
from building.long_description import long_description
from building.manual import manual, roff
from building.shared_files import DESKTOP, PLACES, ROOT, made_texts
from building.source_tree import OF_TESTS
from building.targets import MACHINES, VARIABLE, chosen_target
from inspector.commands.subcommands import SUBCOMMANDS
from inspector.model.session_file import MAGIC
from inspector.wire import lib, native_file


def test_the_man_page_has_every_command_with_every_option() -> None:
    page = manual()
    for each in SUBCOMMANDS:
        command = each.load()
        section = page.partition(f'.SS "{roff(each.name)} ')[2].partition(".SS ")[0]
        options = [word for param in command.params for word in param.opts if word[0] == "-"]
        assert [word for word in options if roff(word) not in section] == []


def test_no_line_of_the_man_page_is_an_unknown_request() -> None:
    requests = {line.split()[0] for line in manual().splitlines() if line.startswith(".")}
    assert requests == {".TH", ".SH", ".SS", ".PP", ".TP", ".B"}
    assert roff(".x 'y' a-b") == "\\&.x 'y' a\\-b"


def test_the_made_files_are_those_that_an_installation_gets() -> None:
    wanted = {name.removeprefix("made/") for name in PLACES if name.startswith("made/")}
    assert {name for name, _ in made_texts()} == wanted


@pytest.mark.parametrize("path", sorted((ROOT / DESKTOP).glob("*.desktop")), ids=lambda p: p.name)
def test_a_menu_entry_starts_the_command_with_our_icon(path: Path) -> None:
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(path, encoding="utf-8")
    entry = parser["Desktop Entry"]
    assert entry["Type"] == "Application"
    assert entry["Exec"].split()[0] == "arc-inspector"
    assert entry["Icon"] == "arc-inspector"
    for word in entry["Exec"].split()[1:2]:
        assert word in {each.name for each in SUBCOMMANDS}


def test_the_file_type_knows_our_recordings_by_their_first_bytes() -> None:
    root = ElementTree.parse(ROOT / DESKTOP / "arc-inspector.xml").getroot()  # noqa: S314 - ours
    space = "{http://www.freedesktop.org/standards/shared-mime-info}"
    match = root.find(f".//{space}match")
    kind = root.find(f"{space}mime-type")
    assert match is not None
    assert kind is not None
    assert match.attrib["value"].encode().replace(b"\\0", b"\0") == MAGIC
    entry = (ROOT / DESKTOP / "arc-inspector-open.desktop").read_text(encoding="utf-8")
    assert f"MimeType={kind.attrib['type']};" in entry


def test_links_of_the_long_description_lead_to_the_repository() -> None:
    text = long_description()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert len(links) > 10
    base = project["urls"]["Repository"]
    assert [link for link in links if not link.startswith((f"{base}/", "#"))] == []


@pytest.mark.parametrize("machine", MACHINES)
def test_a_backend_is_pinned_for_each_interpreter_of_the_classifiers(machine: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    minors = {
        each.rpartition(" ")[2].replace(".", "")
        for each in project["classifiers"]
        if re.search(r":: 3\.\d+$", each)
    }
    _, hashes = backends.pins(machine)
    assert set(hashes) == minors
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes.values())


def test_backends_of_another_machine_go_and_those_that_are_there_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version, _ = backends.pins("x86_64")
    fetched, into = tmp_path / "fetched" / version, tmp_path / "into"
    for folder in (fetched, into):
        folder.mkdir(parents=True)
    names = {minor: backends.file_name(minor, "x86_64") for minor in ("311", "312", "313", "314")}
    (fetched / names["311"]).write_bytes(b"new")
    for name, data in ((names["311"], b"old"), (names["312"], b"kept"), ("of-arm.so", b"")):
        (into / name).write_bytes(data)
    monkeypatch.setattr(backends, "FETCHED", tmp_path / "fetched")
    backends.copy_backends(into, "x86_64")
    left = {path.name: path.read_bytes() for path in into.iterdir()}
    assert left == {names["311"]: b"new", names["312"]: b"kept"}
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1].rstrip(":") for line in lines] == [names["313"], names["314"]]


def test_constants_of_the_pure_wheel_are_those_of_the_library() -> None:
    constants = pure.schema()["constants"]
    assert len(constants) > 100
    assert {name: getattr(lib, name) for name in constants} == constants


def test_a_constant_that_is_no_number_is_refused() -> None:
    assert pure.constants("#define AiA (AiB | ((uint64_t)1 << 2))\n#define AiB UINT16_MAX") == {
        "AiA": 65535,
        "AiB": 65535,
    }
    with pytest.raises(SystemExit, match="cannot read AiC"):
        pure.constants("#define AiC sizeof(int)")
    with pytest.raises(SystemExit, match="cannot read AiD"):
        pure.constants("#define AiD AiD")


def test_tables_of_tests_are_cut_from_a_manifest() -> None:
    kept = ["[dependencies]\na = 1\n\n", "[build-dependencies]\nc = 1\n"]
    cut = "[dev-dependencies]\nb = 1\n\n[[bench]]\nname = 1\n\n"
    assert OF_TESTS.sub("", cut.join(kept)) == "".join(kept)


def test_the_built_library_has_no_search_path_and_exports_its_entries_alone() -> None:
    check_library(Path(native_file()))


def test_an_unknown_platform_tag_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "manylinux_2_28_mips")
    with pytest.raises(SystemExit, match="manylinux_2_28_aarch64, any: manylinux_2_28_mips"):
        chosen_target()
    monkeypatch.setenv(VARIABLE, "manylinux_2_28_aarch64")
    assert chosen_target().zig == "aarch64-linux-gnu.2.28"
