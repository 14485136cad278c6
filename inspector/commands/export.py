"""``arc-inspector export PID|FILE --format F``: evidence that opens without the tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.commands.support.evidence import collect
from inspector.commands.support.lake import Place, observe, place_of, write_lake
from inspector.commands.support.opening import ReadOnly
from inspector.commands.support.options import Force, parse_span, require_absent
from inspector.commands.support.output import say, write_text
from inspector.commands.support.parquet import require_engine, write_parquet
from inspector.commands.support.redacting import (
    Preview,
    keeps_parts,
    preview_of,
    print_preview,
    say_left_out,
    say_saved,
)
from inspector.commands.support.saving import save_text
from inspector.commands.support.sources import Source, opened_source
from inspector.errors import UsageError
from inspector.model.exports.evidence import redacted
from inspector.model.exports.formats import TEXT_FORMATS, TextFormat
from inspector.model.redaction import NOTHING_KEPT, Kept, Redactor
from inspector.model.wording import plural, size
from inspector.session.private_facts import private_facts
from inspector.vocabulary import Level

PARQUET: Final = "parquet"
WATCH_SECS: Final = 10.0
"""How long a process is watched for its lifetimes unless told."""
FORMATS: Final = {each.key: each for each in TEXT_FORMATS}
_HELP: Final = "; ".join(
    [*(f"{each.key}: {each.about}" for each in TEXT_FORMATS), f"{PARQUET}: a row a live handle"]
)


@keeps_parts
def export(
    source: Source,
    wanted: Annotated[str, typer.Option("--format", metavar="FORMAT", help=f"{_HELP}.")] = "",
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
    lake: Annotated[
        Path | None,
        typer.Option(
            "--parquet",
            metavar="DIR",
            help="Write a row a lifetime, and a row a type and second, into partitions below.",
        ),
    ] = None,
    service: Annotated[
        str, typer.Option("--service", help="Partition; else of the process's environment.")
    ] = "",
    deploy: Annotated[
        str, typer.Option("--deploy", help="Partition; else service.version of the process.")
    ] = "",
    host: Annotated[
        str, typer.Option("--host", help="Partition; else a number that stands for this host.")
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
    if lake is not None:
        if wanted or output is not None or force:
            raise UsageError("--parquet DIR goes without --format, -o and --force")
        if preview:
            preview_of(source, kept, read_only=read_only)
            return
        _write_lake(source, lake, watch_secs, Place(service, deploy, host), kept, read_only)
        return
    if service or deploy or host:
        raise UsageError("--service, --deploy and --host go with --parquet DIR")
    text_format = _checked_format(wanted, output)
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


def _checked_format(wanted: str, output: Path | None) -> TextFormat | None:
    """The format; ``None``: Parquet. Raises ``UsageError`` and ``InspectorError``."""
    text_format = FORMATS.get(wanted)
    if text_format is None and wanted != PARQUET:
        raise UsageError(
            f"the formats are {', '.join([*FORMATS, PARQUET])}: {wanted or 'none given'}"
        )
    if text_format is None:
        require_engine("export --format parquet")
        if output is None:
            raise UsageError("parquet goes into a file: -o FILE")
    return text_format


def _write_lake(
    source: str,
    folder: Path,
    watch_secs: float | None,
    given: Place,
    kept: Kept,
    read_only: bool,
) -> None:
    """Watch, and write files in partitions."""
    require_engine("export --parquet")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"this is no folder: {folder}")
    with opened_source(source, level=Level.HISTORY, read_only=read_only) as (session, first):
        seen = observe(session, first, watch_secs or WATCH_SECS)
        place = place_of(first.target, given, kept)
    redactor = Redactor(private_facts(first.target.pid), kept)
    files = write_lake(folder, seen, redactor.snapshot(seen.newest), place)
    written = size(sum(path.stat().st_size for path in files))
    less = f"; {seen.left_out:,} lifetimes left out" if seen.left_out else ""
    if seen.lost_events:
        less += f"; {seen.lost_events:,} events were lost, so short lives may be missing"
    rows = f"{plural(len(seen.lifetimes), 'lifetime')}, {plural(len(seen.seconds.at), 'count')}"
    say(f"saved {rows} in {plural(len(files), 'file')}, {written}, below {folder}{less}")
    say_left_out(redactor)
