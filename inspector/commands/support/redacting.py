"""Options of commands whose output leaves the tool: a ``--with-PART`` for each private part."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from inspector.attach import procfs
from inspector.attach.processes import LONGEST_COMMAND
from inspector.commands.support.output import print_json, say, say_aside
from inspector.commands.support.sources import opened_source
from inspector.commands.support.tables import Column, Table
from inspector.model.private_texts import PARTS
from inspector.model.redaction import Kept, Redactor
from inspector.model.snapshot import Snapshot
from inspector.model.wording import size
from inspector.session.private_facts import private_facts

_PARAMETER: Final = "kept"
_EXAMPLES: Final = 3
Preview = Annotated[
    bool,
    typer.Option(
        "--preview", help="Print the private parts that would be left out, and write nothing."
    ),
]


def keeps_parts(command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each part, in place of its parameter ``kept``."""

    @wraps(command)
    def with_options(*positional: Any, **named: Any) -> None:
        chosen = frozenset(part.key for part in PARTS if named.pop(f"with_{part.key}", False))
        command(*positional, **named, kept=Kept(chosen))

    signature = inspect.signature(command, eval_str=True)
    own = [each for name, each in signature.parameters.items() if name != _PARAMETER]
    options = [
        inspect.Parameter(
            f"with_{part.key}",
            inspect.Parameter.KEYWORD_ONLY,
            default=False,
            annotation=Annotated[bool, typer.Option(f"--with-{part.key}", help=part.about)],
        )
        for part in PARTS
    ]
    with_options.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in (*own, *options)}
    return with_options


def print_redacted(
    snapshot: Snapshot, kept: Kept, value_of: Callable[..., Mapping[str, Any]], *answers: Any
) -> None:
    """Print the JSON of a snapshot, and of answers about it, without private parts.

    ``value_of`` makes it of the redacted snapshot and answers. On a terminal stderr says what was
    left out.
    """
    redactor = Redactor(private_facts(snapshot.target.pid), kept)
    shown = redactor.snapshot(snapshot)
    print_json(redactor.json(value_of(shown, *map(redactor.of, answers))))
    say_left_out(redactor)


def print_private_json(
    value: Mapping[str, Any], pid: int | None, kept: Kept, *, whole: Collection[str] = ()
) -> None:
    """Print the JSON of an answer without private parts of a process, or of this machine alone.

    ``whole``: keys of values that other commands take, which stay as they are.
    """
    redactor = Redactor(private_facts(pid), kept)
    if pid is not None:
        command = " ".join(procfs.arguments(pid, LONGEST_COMMAND)).strip()
        redactor.learn_command(command)
    print_json(redactor.json(value) | {key: value[key] for key in whole})
    say_left_out(redactor)


def say_left_out(redactor: Redactor) -> None:
    """One line on stderr when something was left out, if a person reads it."""
    sentence = redactor.sentence()
    if sentence and sys.stderr.isatty():
        say_aside(f"{sentence}; {_options(redactor)}")


def preview_of(source: str, kept: Kept, *, read_only: bool) -> None:
    """Look at a process or a file and print the parts that a new file would not have.

    Raises ``InspectorError``.
    """
    with opened_source(source, read_only=read_only) as (_, snapshot):
        redactor = Redactor(private_facts(snapshot.target.pid), kept)
        redactor.snapshot(snapshot)
    print_preview(redactor)


def print_preview(redactor: Redactor) -> None:
    """The private parts that a file would not have, with examples, for the person who sends it."""
    parts = redactor.left_out()
    if not parts:
        say("Nothing private was found; everything would be written.")
        return
    table = Table(
        Column("Left out"),
        Column("Texts", is_number=True),
        Column("For example"),
        Column("Kept by"),
    )
    for part in parts:
        examples = ", ".join(part.texts[:_EXAMPLES])
        table.add(part.part.title, f"{len(part.texts):,}", examples, f"--with-{part.part.key}")
    table.print()


def say_saved(path: Path, redactor: Redactor) -> None:
    """One line on stderr: the file, its size, and what it lacks."""
    sentence = redactor.sentence()
    about = f"; {sentence}; {_options(redactor)}" if sentence else ""
    say_aside(f"saved {size(path.stat().st_size)} to {path}{about}")


def _options(redactor: Redactor) -> str:
    options = [f"--with-{each.part.key}" for each in redactor.left_out()]
    return f"{', '.join(options)} {'keeps it' if len(options) == 1 else 'keep them'}"
