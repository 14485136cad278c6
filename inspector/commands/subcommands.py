"""The subcommands, one line each.

Importing this needs no package: an installation without the commands prints their help.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import wraps
from importlib import import_module, util
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from inspector.errors import NoNativeLibraryError

if TYPE_CHECKING:
    from importlib.abc import FileLoader

PASSED_ON: Final = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
}
"""Settings of a subcommand whose words belong to another program."""


class Subcommand(NamedTuple):
    """One subcommand: its name, and its function in a module of this package."""

    name: str
    module: str = ""
    """Module in ``inspector.commands``; empty: called as the subcommand."""
    function: str = ""
    """Function in the module; empty: called as the module."""
    passes_words_on: bool = False
    needs_native: bool = False
    """It works on processes alone; commands that read files as well refuse a process."""

    @property
    def place(self) -> tuple[str, str]:
        """Whole name of the module, and the function's name."""
        module = self.module or self.name
        return f"inspector.commands.{module}", self.function or module

    def load(self) -> Any:
        """Import the module and make the command."""
        import typer  # not in every installation
        from typer.main import get_command

        from inspector.wire import has_native_library

        module, function = self.place
        app = typer.Typer(
            add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
        )
        called = getattr(import_module(module), function)
        if self.needs_native and not has_native_library():
            called = _refusing(called)
        app.command(self.name, context_settings=PASSED_ON if self.passes_words_on else {})(called)
        return get_command(app)

    def about(self) -> str:
        """The docstring of the function, read from the source: nothing is imported."""
        module, function = self.place
        spec = util.find_spec(module)
        if spec is None or spec.origin is None:
            return ""
        # every loader of files has this, also those of archives and of test runners
        source = cast("FileLoader", spec.loader).get_data(spec.origin)
        found = [
            node
            for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef) and node.name == function
        ]
        return (ast.get_docstring(found[0]) or "") if found else ""


def _refusing(command: Callable[..., None]) -> Callable[..., None]:
    """The command with its help, which says that it needs the native library."""

    @wraps(command)
    def refuse(*_: object, **__: object) -> None:
        raise NoNativeLibraryError

    return refuse


SUBCOMMANDS: Final = (
    Subcommand("demo", needs_native=True),
    Subcommand("ps", needs_native=True),
    Subcommand("attach", needs_native=True),
    Subcommand("detach", needs_native=True),
    Subcommand("doctor", needs_native=True),
    Subcommand("run", "run_program", passes_words_on=True, needs_native=True),
    Subcommand("adapters", needs_native=True),
    Subcommand("check", passes_words_on=True, needs_native=True),
    Subcommand("clean", needs_native=True),
    Subcommand("handles"),
    Subcommand("pending"),
    Subcommand("findings"),
    Subcommand("holders"),
    Subcommand("cycles"),
    Subcommand("threads"),
    Subcommand("stacks"),
    Subcommand("events"),
    Subcommand("top"),
    Subcommand("gc", needs_native=True),
    Subcommand("close", needs_native=True),
    Subcommand("drain", needs_native=True),
    Subcommand("audit", needs_native=True),
    Subcommand("shot"),
    Subcommand("export"),
    Subcommand("query"),
    Subcommand("record", needs_native=True),
    Subcommand("metrics", needs_native=True),
    Subcommand("open", "open_file"),
    Subcommand("diff", function="diff_states"),
    Subcommand("completion"),
)
"""In the order of the help."""
