"""The man page, from the table of commands and their own help."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from inspector.commands.subcommands import SUBCOMMANDS

ROOT: Final = Path(__file__).resolve().parent.parent
STATUSES: Final = (
    (0, "done"),
    (1, "the thing asked for is not so"),
    (2, "wrong use"),
    (3, "cannot attach"),
    (4, "cannot say yet"),
)


def manual() -> str:
    """The page in roff."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return "\n".join([*_lines(project["version"], project["description"]), ""])


def _lines(version: str, about: str) -> Iterator[str]:
    yield f'.TH ARC\\-INSPECTOR 1 "" "arc\\-inspector {version}" "User commands"'
    yield ".SH NAME"
    yield f"arc\\-inspector \\- {roff(about)}"
    yield ".SH SYNOPSIS"
    yield ".B arc\\-inspector\n[\\fICOMMAND\\fR [\\fIARGUMENTS\\fR]]"
    yield ".SH DESCRIPTION"
    yield "Without a command the window opens."
    yield ".SH COMMANDS"
    for each in SUBCOMMANDS:
        yield from _command(each.load())
    yield '.SH "EXIT STATUS"'
    for status, meaning in STATUSES:
        yield f".TP\n.B {status}\n{meaning}"


def _command(command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if not each.opts[0].startswith("-")]
    words = " ".join(each.metavar or each.name.upper() for each in arguments)
    yield f'.SS "{roff(command.name)} {roff(words)}"'
    for paragraph in (command.help or "").split("\n\n"):
        yield f"{roff(' '.join(paragraph.split()))}\n.PP"
    for each in command.params:
        if each.opts[0].startswith("-"):
            names = ", ".join([*each.opts, *each.secondary_opts])
            value = "" if each.is_flag else f" {each.metavar or each.name.upper()}"
            yield f".TP\n.B {roff(names + value)}\n{roff(' '.join((each.help or '').split()))}"


def roff(text: str) -> str:
    """A text in which no character is a command of roff."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
