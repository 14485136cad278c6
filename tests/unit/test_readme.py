"""The README promises no command that is not there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from inspector.commands.app import run

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown_commands() -> list[list[str]]:
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    lines = [
        line.removeprefix("$ ")
        for block in blocks
        for line in block.splitlines()
        if line.startswith("$ ")
    ]
    return [shlex.split(line, comments=True) for line in lines]


def subcommands_of_the_inspector() -> list[list[str]]:
    return [
        words[1:] for words in shown_commands() if words[0] == "arc-inspector" and len(words) > 1
    ]


def test_the_readme_shows_the_two_commands_that_everybody_needs_first() -> None:
    assert ["./dev", "demo"] in shown_commands()
    assert ["./dev", "test"] in shown_commands()


@pytest.mark.parametrize(
    "words", [words for words in shown_commands() if words[0] == "./dev"], ids=" ".join
)
def test_every_dev_command_of_the_readme_is_one_that_the_script_knows(words: list[str]) -> None:
    usage = subprocess.run(
        [ROOT / "dev", "help"], capture_output=True, text=True, check=True
    ).stdout
    known = {line.split()[0] for line in usage.splitlines() if re.match(r"  [a-z]", line)}
    assert words[1] in known | {"help"}


@pytest.mark.parametrize("words", subcommands_of_the_inspector(), ids=" ".join)
def test_every_subcommand_of_the_readme_exists_with_its_options(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    status = run([words[0], "--help"])
    shown = capsys.readouterr()
    assert status == 0, shown.err
    own = [] if words[0] == "run" else words[1 : words.index("--") if "--" in words else None]
    for option in (word for word in own if word.startswith("-")):
        assert option in shown.out


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    missing = [link for link in links if not (ROOT / link).exists()]
    assert missing == []
