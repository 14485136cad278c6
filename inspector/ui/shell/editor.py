"""Opens a line of code in the person's editor, by a command of theirs. GUI thread."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PySide6.QtCore import QProcess, QSettings

EDITOR_KEY: Final = "editor/command"
"""The setting: a command with ``{file}`` and ``{line}`` in it."""
EDITOR_VARIABLE: Final = "ARC_INSPECTOR_EDITOR"
"""The same from the environment; it wins."""
KNOWN: Final = (
    "code --goto {file}:{line}",
    "subl {file}:{line}",
    "gvim +{line} {file}",
    "kate --line {line} {file}",
    "gedit +{line} {file}",
)
"""Tried in this order when nothing is set: the first that is installed."""


def editor_command(settings: QSettings, environment: Mapping[str, str] = os.environ) -> str:
    """The command in force; ``""``: none is set, and no known editor is installed."""
    chosen = environment.get(EDITOR_VARIABLE) or str(settings.value(EDITOR_KEY, ""))
    return chosen or next(
        (command for command in KNOWN if shutil.which(command.split(" ", 1)[0])), ""
    )


def editor_arguments(command: str, file: str, line: int) -> list[str]:
    """The command as a list; one without a place for the file gets it at its end.

    Raises ``ValueError`` when it is no command.
    """
    words = shlex.split(command)
    if not words:
        raise ValueError("the editor's command is empty")
    if not any("{file}" in word for word in words):
        words.append("{file}")
    return [word.replace("{file}", file).replace("{line}", str(max(line, 1))) for word in words]


def open_line(settings: QSettings, file: str, line: int) -> str:
    """Start the editor and do not wait for it.

    Answers why not, a sentence; ``""``: it was started.
    """
    if not Path(file).is_file():
        return f"{file} is not on this machine"
    command = editor_command(settings)
    if not command:
        return f"No editor is set: put a command such as “{KNOWN[0]}” into {EDITOR_VARIABLE}"
    try:
        program, *arguments = editor_arguments(command, file, line)
    except ValueError as error:
        return f"The editor's command makes no sense: {error}"
    started = QProcess.startDetached(program, arguments)
    return (
        ""
        if (started[0] if isinstance(started, tuple) else started)
        else f"The editor could not be started: {program}"
    )
