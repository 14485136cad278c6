"""A command line taken apart: interpreter, program, arguments.

The same program can then be run under the agent.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Final

import inspector
from inspector.errors import UsageError

_INTERPRETER: Final = re.compile(r"python(\d+(\.\d+)?)?[a-z]?")
_PYPY: Final = re.compile(r"pypy(\d+(\.\d+)?)?")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_LONG_WITH_VALUE: Final = "--check-hash-based-pycs"
_PYTEST: Final = frozenset({"pytest", "py.test"})
_ELF: Final = b"\x7fELF"
_FIRST_BYTES: Final = 1024
LOADER: Final = Path(inspector.__file__).resolve().parents[1] / "_arc_inspector.py"
"""Starts our code in another interpreter by its path: the program's folder may have modules of any
name."""


class OtherProgramError(UsageError):
    """The command is a program, and not in Python."""


@dataclass(frozen=True, slots=True)
class PythonCommand:
    """A Python program to run."""

    python: str
    options: tuple[str, ...]
    """The interpreter's own: ``-X dev``."""
    target: tuple[str, ...]
    """``-m``, module; ``-c``, code; ``-``; or ``--``, script."""
    arguments: tuple[str, ...]
    prefix: tuple[str, ...] = ()
    """``env``, and what it sets."""

    @property
    def is_pytest(self) -> bool:
        """Whether it runs pytest."""
        if self.target[0] == "--":
            return Path(self.target[1]).name in _PYTEST
        return self.target[0] == "-m" and self.target[1] in _PYTEST

    def under(self, module: str, *words: str, more: Sequence[str] = ()) -> list[str]:
        """The command line that runs the program under one of our launchers, given its first words.

        ``more`` goes before the arguments.
        """
        return [
            *self.prefix,
            self.python,
            *self.options,
            str(LOADER),
            module,
            *words,
            *self.target,
            *more,
            *self.arguments,
        ]


def parse_command(words: Sequence[str], python: str) -> PythonCommand:
    """``python -m x``, ``env A=1 python app.py``, ``app.py``, ``pytest tests``.

    ``python`` runs scripts that name no interpreter. Raises ``OtherProgramError`` for a program in
    another language, and ``UsageError`` for a command that makes no sense.
    """
    first, *rest = words
    if Path(first).name == "env" and rest:
        return _of_env(first, rest, python)
    if _is_interpreter(first):
        return _of_interpreter(first, rest)
    if first.endswith(".py") or _is_archive(Path(first)):
        return PythonCommand(python, (), ("--", first), tuple(rest))
    found = [
        path
        for path in (shutil.which(first), _beside(first, python), first)
        if path is not None and Path(path).is_file()
    ]
    for path in found:
        interpreter = _shebang(Path(path))
        if interpreter is not None:
            return PythonCommand(interpreter[0], interpreter[1:], ("--", path), tuple(rest))
    if not found:
        raise UsageError(f"no such command: {first}")
    refusal = _refusal(Path(found[0]))
    if refusal:
        raise OtherProgramError(f"not a Python program but {refusal}: {first}")
    return PythonCommand(python, (), ("--", found[0]), tuple(rest))


def _of_env(env: str, words: list[str], python: str) -> PythonCommand:
    """``env`` with assignments before the command. Its options are not understood."""
    count = next(
        (place for place, word in enumerate(words) if not _ASSIGNMENT.fullmatch(word)), len(words)
    )
    if count == len(words) or words[count].startswith("-"):
        raise UsageError(
            "no command after env, or an option of env, which is not understood: "
            f"{env} {' '.join(words)}"
        )
    command = parse_command(words[count:], python)
    return replace(command, prefix=(env, *words[:count], *command.prefix))


def _is_interpreter(word: str) -> bool:
    """Whether a word is a Python interpreter.

    Its name tells, or the name of the native program that it leads to.
    """
    path = shutil.which(word)
    real = Path(path).resolve() if path is not None else None
    names = {
        Path(word).name,
        *({real.name} if real is not None and _head(real).startswith(_ELF) else ()),
    }
    if any(_PYPY.fullmatch(name) for name in names):
        raise UsageError(f"runs PyPy, and the agent needs CPython: {word}")
    return any(_INTERPRETER.fullmatch(name) for name in names)


def _of_interpreter(python: str, words: list[str]) -> PythonCommand:
    """The words after the interpreter's name.

    Options may be written together: ``-Im x``, ``-OOc 'print()'``.
    """
    options: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "-" or not word.startswith("-"):
            return PythonCommand(
                python, tuple(options), ("-",) if word == "-" else ("--", word), tuple(rest)
            )
        if word == "--" and rest:
            return PythonCommand(python, tuple(options), ("--", rest[0]), tuple(rest[1:]))
        before, letter, value = _short_options(word)
        if letter and not value and rest:
            value = rest.pop(0)
        if letter in ("c", "m") and value:
            return PythonCommand(python, (*options, *before), (f"-{letter}", value), tuple(rest))
        if "i" in "".join(before)[1:]:
            raise UsageError(
                f"an interactive interpreter cannot be looked at from its start: {python} {word}"
            )
        options += [*before, *((f"-{letter}", value) if letter else ())]
        if word == _LONG_WITH_VALUE and rest:
            options.append(rest.pop(0))
    raise UsageError(f"nothing to run: {python} is an interpreter without a script, module or code")


def _short_options(word: str) -> tuple[tuple[str, ...], str, str]:
    """The options of a word without a value, the letter of its option with a value, and the value.

    The value is empty when the word does not hold it.
    """
    place = next((place for place, letter in enumerate(word) if letter in "cmWX" and place), None)
    if place is None or word.startswith("--"):
        return (word,), "", ""
    return (word[:place],) if place > 1 else (), word[place], word[place + 1 :]


def _is_archive(path: Path) -> bool:
    """Whether the interpreter runs the ``__main__.py`` in it."""
    return path.is_dir() or (
        path.is_file() and not _head(path).startswith((b"#!", _ELF)) and zipfile.is_zipfile(path)
    )


def _beside(name: str, python: str) -> str | None:
    """A script of the interpreter's environment, which need not be on the path."""
    path = Path(python).parent / name
    return str(path) if os.sep not in name and os.access(path, os.X_OK) else None


def _head(path: Path) -> bytes:
    """The first bytes of a file; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_FIRST_BYTES)
    except OSError:
        return b""


def _refusal(path: Path) -> str:
    """The kind of a file that is no Python program, and what can be done about it.

    ``""`` when it may be one.
    """
    head = _head(path)
    if head.startswith(_ELF):
        return (
            "a native program; if Python runs in it, start it by itself and look at it with "
            "arc-inspector attach PID"
        )
    if head.startswith(b"#!"):
        return f"a script for {head[2:].splitlines()[0].decode(errors='replace').strip()}"
    return "a file with null bytes" if b"\0" in head and not head.startswith(MAGIC_NUMBER) else ""


def _shebang(path: Path) -> tuple[str, ...] | None:
    """The Python interpreter that a script names, with its options; ``None`` when it names none."""
    head = _head(path)
    if not head.startswith(b"#!"):
        return None
    line, _, rest = head[2:].decode(errors="replace").partition("\n")
    words = line.split()
    if words[:1] == ["/bin/sh"] and (
        match := re.match(r"'''exec' \"?([^\"\n]+?)\"? \"\$0\"", rest)
    ):
        words = [match[1]]  # what pip writes when the interpreter's path is long
    if words and Path(words[0]).name == "env" and len(words) > 1:
        named = words[2 if words[1] in ("-S", "--split-string") else 1 :]
        words = [shutil.which(named[0]) or named[0], *named[1:]] if named else []
    if not words or not _INTERPRETER.fullmatch(Path(words[0]).name):
        return None
    return (words[0] if Path(words[0]).exists() else sys.executable, *words[1:])
