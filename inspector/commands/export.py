"""``arc-inspector export PID|FILE --format F``: evidence that opens without the tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.commands.support.evidence import collect
from inspector.commands.support.opening import ReadOnly
from inspector.commands.support.options import Force, parse_span, require_absent
from inspector.commands.support.output import write_text
from inspector.commands.support.parquet import require_engine, write_parquet
from inspector.commands.support.redacting import (
    Preview,
    keeps_parts,
    print_preview,
    say_left_out,
    say_saved,
)
from inspector.commands.support.saving import save_text
from inspector.commands.support.sources import Source, opened_source
from inspector.errors import UsageError
from inspector.model.exports.evidence import redacted
from inspector.model.exports.formats import TEXT_FORMATS
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.session.private_facts import private_facts
from inspector.vocabulary import Level

PARQUET: Final = "parquet"
FORMATS: Final = {each.key: each for each in TEXT_FORMATS}
_HELP: Final = "; ".join(
    [*(f"{each.key}: {each.about}" for each in TEXT_FORMATS), f"{PARQUET}: a row a live handle"]
)


@keeps_parts
def export(
    source: Source,
    wanted: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"{_HELP}.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The file to write; without a file the text goes to stdout.",
        ),
    ] = None,
    span: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="SPAN",
            help="How long to watch a process for findings; without it until the rules can say.",
        ),
    ] = "",
    force: Force = False,
    read_only: ReadOnly = False,
    preview: Preview = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Write a process or a file in a format that needs no arc-inspector to read.

    Private parts are left out.
    """
    watch_secs = parse_span(span) if span else None
    text_format = FORMATS.get(wanted)
    if text_format is None and wanted != PARQUET:
        raise UsageError(f"the formats are {', '.join([*FORMATS, PARQUET])}: {wanted}")
    if text_format is None:
        require_engine("export --format parquet")
        if output is None:
            raise UsageError("parquet goes into a file: -o FILE")
    if output is not None and not preview:
        require_absent(output, force=force)
    is_judged = text_format is not None and text_format.is_judged
    with opened_source(source, level=Level.HISTORY, read_only=read_only) as (session, first):
        found = collect(session, first, is_judged=is_judged, watch_secs=watch_secs)
    redactor = Redactor(private_facts(found.snapshot.target.pid), kept)
    evidence = redacted(found, redactor)
    if preview:
        print_preview(redactor)
    elif text_format is None:
        assert output is not None  # noqa: S101 - checked above
        write_parquet(evidence.snapshot, output, may_replace=force)
        say_saved(output, redactor)
    elif output is None:
        write_text(text_format.write(evidence))
        say_left_out(redactor)
    else:
        save_text(text_format.write(evidence), output, may_replace=force)
        say_saved(output, redactor)
