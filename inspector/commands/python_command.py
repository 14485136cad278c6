"""A command line taken apart, so that the same program can be run under the agent: interpreter, script or module, arguments."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.errors import UsageError

_INTERPRETER: Final = re.compile(r"python(\d+(\.\d+)?)?")
_WITH_VALUE: Final = ("-W", "-X", "--check-hash-based-pycs")
_PYTEST: Final = frozenset({"pytest", "py.test"})
_FIRST_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class PythonCommand:
    """A Python program to run."""

    python: str
    options: tuple[str, ...]
    """The interpreter's own: ``-X dev``."""
    target: tuple[str, ...]
    """``-m``, module; or ``--``, script."""
    arguments: tuple[str, ...]

    @property
    def is_pytest(self) -> bool:
        """Whether it runs pytest."""
        return Path(self.target[1]).name in _PYTEST if self.target[0] == "--" else self.target[1] in _PYTEST


def parse_command(words: Sequence[str], python: str) -> PythonCommand:
    """``python -m x``, ``python app.py``, ``app.py``, ``pytest tests``. Raises ``UsageError`` for what is no Python program.

    ``python`` runs scripts that do not say by what.
    """
    first, *rest = words
    if _INTERPRETER.fullmatch(Path(first).name):
        return _of_interpreter(first, rest)
    if first.endswith(".py") or Path(first).is_dir():
        return PythonCommand(python, (), ("--", first), tuple(rest))
    found = [path for path in (shutil.which(first), _beside(first, python)) if path is not None]
    for path in found:
        interpreter = _shebang(Path(path))
        if interpreter is not None:
            return PythonCommand(interpreter, (), ("--", path), tuple(rest))
    raise UsageError(f"not a Python program, so it cannot be checked: {first}" if found else f"no such command: {first}")


def _of_interpreter(python: str, words: list[str]) -> PythonCommand:
    """What follows the interpreter's name."""
    options: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "-m" and rest:
            return PythonCommand(python, tuple(options), ("-m", rest[0]), tuple(rest[1:]))
        if word in ("-c", "-", "-i"):
            raise UsageError(f"only scripts and modules can be checked: {python} {word}")
        if not word.startswith("-"):
            return PythonCommand(python, tuple(options), ("--", word), tuple(rest))
        options.append(word)
        if word in _WITH_VALUE and rest:
            options.append(rest.pop(0))
    raise UsageError(f"nothing to run: {python} is an interpreter without a script or module")


def _beside(name: str, python: str) -> str | None:
    """A script of the interpreter's environment, which need not be on the path."""
    path = Path(python).parent / name
    return str(path) if os.sep not in name and os.access(path, os.X_OK) else None


def _shebang(path: Path) -> str | None:
    """The Python interpreter that a script names; ``None`` when it names none."""
    with path.open("rb") as file:
        head = file.read(_FIRST_BYTES)
    if not head.startswith(b"#!"):
        return None
    line, _, rest = head[2:].decode(errors="replace").partition("\n")
    words = line.split()
    if words[:1] == ["/bin/sh"] and (match := re.match(r"'''exec' \"?([^\"\n]+?)\"? \"\$0\"", rest)):
        words = [match[1]]  # what pip writes when the interpreter's path is long
    if words and Path(words[0]).name == "env" and len(words) > 1:
        words = [shutil.which(words[-1]) or words[-1]]
    is_python = bool(words) and _INTERPRETER.fullmatch(Path(words[0]).name) is not None
    return (words[0] if Path(words[0]).exists() else sys.executable) if is_python else None
