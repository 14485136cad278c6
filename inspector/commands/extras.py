"""The extras of the installation, and help where none is installed. Needs no package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from inspector.commands.subcommands import SUBCOMMANDS

EXTRAS: Final = {
    "cli": frozenset({"typer", "rich", "numpy", "psutil", "platformdirs"}),
    "viewer": frozenset({"PySide6", "pyqtgraph"}),
}
"""Modules by the extra that brings them."""
_PARTS: Final = {"cli": "the commands are", "viewer": "the window is"}


def missing_extra(error: ModuleNotFoundError) -> str:
    """The extra that brings a missing module; empty: none does, so it is a fault."""
    missing = (error.name or "").partition(".")[0]
    return next((extra for extra, modules in EXTRAS.items() if missing in modules), "")


def advice(error: ModuleNotFoundError) -> str:
    """One line that names the missing part and the command that installs it."""
    extra = missing_extra(error)
    return (
        f"arc-inspector: {_PARTS[extra]} not installed (there is no {error.name}): "
        f"pip install 'arc-inspector[{extra}]'"
    )


def is_help(words: list[str]) -> bool:
    """Whether a command line asks for help as a whole."""
    return not words or words[0] in ("-h", "--help", "help")


def help_lines() -> Iterator[str]:
    """Help of an installation without the commands: it names them, and how to install them."""
    yield "Usage: arc-inspector [OPTIONS] COMMAND [ARGS]..."
    yield ""
    yield "This installation has the part for target processes: ARC_INSPECTOR=1 python app.py"
    yield "The commands: pip install 'arc-inspector[cli]'"
    yield "The commands and the window: pip install 'arc-inspector[viewer]'"
    yield ""
    width = max(len(each.name) for each in SUBCOMMANDS)
    for each in SUBCOMMANDS:
        yield f"  {each.name:<{width}}  {each.about().splitlines()[0]}"
