"""Files that commands write have no private part of a real process, and keep what is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.command_line import run_command
from tests.helpers.documents import faults
from tests.helpers.packed import unpacked
from tests.helpers.targets import start_target

SECRET = "hunter2-of-the-customer"  # noqa: S105 - a word to look for


@pytest.mark.parametrize(
    ("words", "name"),
    [(("shot",), "a.png"), (("record", "--for", "1s", "--every", "200ms"), "a.arcs")],
    ids=["shot", "record"],
)
def test_files_that_commands_write_have_no_private_word(
    words: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    with start_target("todo", "history", f"--password={SECRET}") as target:
        target.ask("item milk buy")
        path = tmp_path / name
        previewed = run_command(words[0], target.pid, "-o", path, "--preview")
        assert previewed.status == 0, previewed
        assert "--with-command" in previewed.out
        assert not path.exists()
        done = run_command(words[0], target.pid, "-o", path, *words[1:])
        assert done.status == 0, done
        assert "left out: command line (" in done.out
        assert SECRET.encode() not in unpacked(path)
        assert b"tests/targets" not in unpacked(path)
        assert path.stat().st_mode & 0o777 == 0o600
        kept = run_command(
            words[0], target.pid, "-o", path, *words[1:], "--force", "--with-command"
        )
        assert kept.status == 0, kept
        assert SECRET.encode() in unpacked(path)


ANSWERS = {
    "attach": ("PID", "--headless"),
    "gc": ("PID",),
    "close": ("PID", "--filter", "type:Journal", "--dry-run"),
    "drain": ("PID",),
    "audit": ("PID",),
    "doctor": ("PID",),
    "adapters": ("PID",),
    "detach": ("PID", "--force"),
}
"""Commands whose JSON is an answer about a process; ``detach`` comes last."""


def test_answers_as_json_have_no_private_word(tmp_path: Path) -> None:
    home = tmp_path / "home" / "of-a-customer"
    home.mkdir(parents=True)
    declared = home / "adapters.toml"
    declared.write_text('[["not a declaration"')
    environment = {"ARC_INSPECTOR_ADAPTERS": str(declared)}
    with start_target("todo", "history", f"--password={SECRET}", env=environment) as target:
        target.ask(f"journal {SECRET} {home / 'journal'}")
        for command, words in ANSWERS.items():
            given = [str(target.pid) if word == "PID" else word for word in words]
            done = run_command(command, *given, "--json")
            assert done.json["schema"] == 1, done
            assert faults(command, done.json) == []
            assert SECRET not in done.out, done
            if command != "attach":  # its path of the segment is whole, for other commands
                assert str(home) not in done.out, done


def test_an_answer_keeps_what_is_asked_for(tmp_path: Path) -> None:
    declared = tmp_path / "adapters.toml"
    declared.write_text('[["not a declaration"')
    found = run_command("adapters", "--check", declared, "--json")
    assert faults("adapters", found.json) == []
    assert str(tmp_path) not in found.out
    kept = run_command("adapters", "--check", declared, "--json", "--with-paths")
    assert kept.json["file"] == str(declared)
