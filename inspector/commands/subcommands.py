"""The subcommands, one line each, and the group that imports a subcommand only when it is used.

Importing all of them loads numpy and the whole viewer, which takes half a second that ``--help``
and a mistyped word need not wait for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from importlib import import_module, util
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

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

    @property
    def place(self) -> tuple[str, str]:
        """Whole name of the module, and the function's name."""
        module = self.module or self.name
        return f"inspector.commands.{module}", self.function or module

    def load(self) -> Any:
        """Import the module and make the command."""
        module, function = self.place
        app = typer.Typer(
            add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
        )
        app.command(self.name, context_settings=PASSED_ON if self.passes_words_on else {})(
            getattr(import_module(module), function)
        )
        return get_command(app)

    def summary(self, limit: int) -> str:
        """The first sentence of the function's docstring, in at most ``limit`` characters.

        Read from the source, nothing is imported.
        """
        module, function = self.place
        spec = util.find_spec(module)
        source = getattr(spec.loader, "get_source", lambda _: None)(module) if spec else None
        found = [
            node
            for node in ast.parse(source or "").body
            if isinstance(node, ast.FunctionDef) and node.name == function
        ]
        command = (
            TyperCommand(self.name, help=ast.get_docstring(found[0])) if found else self.load()
        )
        return str(command.get_short_help_str(limit))


SUBCOMMANDS: Final = (
    Subcommand("demo"),
    Subcommand("ps"),
    Subcommand("attach"),
    Subcommand("detach"),
    Subcommand("doctor"),
    Subcommand("run", "run_program", passes_words_on=True),
    Subcommand("adapters"),
    Subcommand("check", passes_words_on=True),
    Subcommand("clean"),
    Subcommand("handles"),
    Subcommand("pending"),
    Subcommand("findings"),
    Subcommand("holders"),
    Subcommand("cycles"),
    Subcommand("threads"),
    Subcommand("stacks"),
    Subcommand("events"),
    Subcommand("top"),
    Subcommand("gc"),
    Subcommand("close"),
    Subcommand("drain"),
    Subcommand("audit"),
    Subcommand("shot"),
    Subcommand("export"),
    Subcommand("query"),
    Subcommand("record"),
    Subcommand("metrics"),
    Subcommand("open", "open_file"),
    Subcommand("diff", function="diff_states"),
    Subcommand("completion"),
)
"""In the order of the help."""


class Loaded(Mapping[str, Any]):
    """Commands by name, each made when it is asked for."""

    def __init__(self) -> None:
        """Loads nothing."""
        self._by_name = {each.name: each for each in SUBCOMMANDS}
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """The command; raises ``KeyError``."""
        if name not in self._made:
            self._made[name] = self._by_name[name].load()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Names in the order of the help."""
        return iter(self._by_name)

    def __len__(self) -> int:
        """Number of subcommands."""
        return len(self._by_name)


class SubcommandGroup(TyperGroup):
    """The group of all subcommands."""

    def __init__(self, **settings: Any) -> None:
        """As typer makes a group, with the subcommands of the table."""
        super().__init__(**settings)
        self.commands: Any = Loaded()

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, without loading a subcommand."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the table of subcommands with their summaries."""
        limit = formatter.width - 6 - max(len(each.name) for each in SUBCOMMANDS)
        with formatter.section("Commands"):
            formatter.write_dl([(each.name, each.summary(limit)) for each in SUBCOMMANDS])
