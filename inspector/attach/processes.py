"""Short names for processes, from their command lines. Pure; any thread."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

_PYTHON: Final = re.compile(r"(python|pypy)[\d.]*(t|d|w)?(\.exe)?", re.IGNORECASE)
_VERSIONED: Final = re.compile(r"(?:lib)?python(\d)\.(\d+)")
_OPTIONS_WITH_VALUE: Final = frozenset({"-W", "-X", "-Q", "--check-hash-based-pycs"})
LONGEST_COMMAND: Final = 4096
"""Characters that are looked at for a name: splitting the longest command line that the system
allows takes seconds."""
_TOOL_MODULES: Final = frozenset({"inspector"})
_TOOL_SCRIPT: Final = "arc-inspector"


def is_python(name: str, arguments: Sequence[str]) -> bool:
    """Whether a process is a Python interpreter, by its name or its first argument.

    An entry-point script has another name.
    """
    first = PurePath(arguments[0]).name if arguments else ""
    return bool(_PYTHON.fullmatch(name) or _PYTHON.fullmatch(first))


def version_in(name: str) -> tuple[int, int] | None:
    """``(3, 11)`` for ``python3.11`` and ``libpython3.11.so.1.0``.

    ``None`` when a name tells no version.
    """
    matched = _VERSIONED.match(name)
    return (int(matched[1]), int(matched[2])) if matched else None


def is_of_the_tool(arguments: Sequence[str]) -> bool:
    """Whether a process is the inspector: a viewer, or a command of it."""
    what = _what_runs(list(arguments))
    if what[:1] == ["-m"]:
        return what[1:2] != [] and what[1] in _TOOL_MODULES
    return bool(what) and PurePath(what[0]).name == _TOOL_SCRIPT


def short_name(command: str) -> str:
    """``app.py`` for ``/usr/bin/python3 -X dev /srv/app.py --serve``.

    ``pkg.mod`` for ``python -m pkg.mod``, else the program's name.
    """
    command = command[:LONGEST_COMMAND]
    try:
        arguments = shlex.split(command)
    except ValueError:  # an unbalanced quote
        arguments = command.split()
    what = _what_runs(arguments)
    if what[:1] == ["-m"] and len(what) > 1:
        return what[1]
    if what[:1] == ["-c"]:
        return "python -c"
    return PurePath(what[0]).name if what else ""


def _what_runs(arguments: list[str]) -> list[str]:
    """The command line without the interpreter and its options.

    ``[script, …]``, ``["-m", module, …]`` or ``["-c", …]``.
    """
    if not arguments or not _PYTHON.fullmatch(PurePath(arguments[0]).name):
        return arguments
    rest = arguments[1:]
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
        rest = rest[2 if rest[0] in _OPTIONS_WITH_VALUE else 1 :]
    return rest or arguments[:1]
