"""``arc-inspector clean``: remove the segments that dead processes left."""

from __future__ import annotations

from typing import Annotated

import typer

from inspector.attach.leftovers import Extent, Swept, sweep
from inspector.attach.linux import require_support
from inspector.commands.support.output import print_error, print_json, say
from inspector.model.wording import plural


def clean(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    remove_all: Annotated[
        bool,
        typer.Option(
            "--all", help=("Also the states of processes that died within the last five minutes.")
        ),
    ] = False,
) -> None:
    """Remove the last states of dead processes, and print their number and size.

    Exit status 1 when a state could not be removed.
    """
    require_support()
    swept = sweep(Extent.EVERYTHING if remove_all else Extent.SETTLED)
    if as_json:
        print_json(
            {
                "removed": swept.removed,
                "removed_bytes": swept.removed_bytes,
                "kept": swept.kept,
                "kept_bytes": swept.kept_bytes,
                "troubles": list(swept.troubles),
            }
        )
    else:
        say(sentence(swept))
    for trouble in swept.troubles:
        print_error(trouble)
    raise typer.Exit(1 if swept.troubles else 0)


def sentence(swept: Swept) -> str:
    """``removed the last states of 3 dead processes, 540 KiB``, and the states that were kept."""
    text = (
        "removed the last states of "
        f"{plural(swept.removed, 'dead process', 'dead processes')}, "
        f"{_size(swept.removed_bytes)}"
    )
    if swept.kept:
        text += (
            f"; kept {swept.kept:,} that died within five minutes "
            f"({_size(swept.kept_bytes)}): --all removes them too"
        )
    return text


def _size(size_bytes: int) -> str:
    return (
        f"{size_bytes / (1 << 20):.1f} MiB"
        if size_bytes >= 1 << 20
        else f"{size_bytes >> 10:,} KiB"
    )
