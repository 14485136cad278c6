"""The group of subcommands, which imports a subcommand only when it is used.

Importing all of them loads numpy and the whole viewer, which takes half a second that ``--help``
and a mistyped word need not wait for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from typer.core import TyperCommand, TyperGroup

from inspector.commands.subcommands import SUBCOMMANDS, Subcommand


def summary(command: Subcommand, limit: int) -> str:
    """The first sentence of a subcommand's help, in at most ``limit`` characters."""
    return str(TyperCommand(command.name, help=command.about()).get_short_help_str(limit))


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
            formatter.write_dl([(each.name, summary(each, limit)) for each in SUBCOMMANDS])
