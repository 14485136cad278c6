"""``arc-inspector shot PID|FILE -o FILE.png``: a picture without a display, its data inside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.attach.discovery import find_target
from inspector.commands.support.opening import ReadOnly, is_pid
from inspector.commands.support.options import Force, require_absent
from inspector.commands.support.output import say
from inspector.commands.support.redacting import Preview, keeps_parts, preview_of
from inspector.commands.support.sources import Source, existing, opened_source
from inspector.errors import UsageError
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.session.outside import require_readable

MOST_PIXELS: Final = 16_384
"""Of a side of a picture: larger ones take gigabytes."""
_SIZE: Final = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


@keeps_parts
def shot(
    source: Source,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE.png", help="Where the picture goes.")
    ],
    theme: Annotated[str, typer.Option("--theme", help="light or dark.")] = "light",
    size: Annotated[str, typer.Option("--size", help="Width and height.")] = "1440x900",
    force: Force = False,
    read_only: ReadOnly = False,
    preview: Preview = False,
    kept: Kept = NOTHING_KEPT,
) -> None:
    """Save a picture of the window on a process or a file, with the whole snapshot inside.

    Private parts are left out of the picture and of its data.
    """
    width, height = parse_size(size)
    if theme not in ("light", "dark"):
        raise UsageError(f"a theme is light or dark: {theme}")
    require_absent(output, force=force)
    if preview:
        preview_of(source, kept, read_only=read_only)
        return
    path = _checked(source, read_only=read_only)
    # Qt is loaded only where it is used
    from inspector.commands.support.offscreen import OffscreenWindow, use_offscreen

    use_offscreen()
    with OffscreenWindow(theme=theme, width=width, height=height, kept=kept) as window:
        if path is None:
            window.attach(int(source), read_only=read_only)
        else:
            window.open_file(path)
        window.wait_settled()
        left_out = window.save(output)
    say(f"saved {output} with its data inside{f'; {left_out}' if left_out else ''}")


def _checked(source: str, *, read_only: bool) -> Path | None:
    """The file, or ``None`` of a process that can be looked at. Raises ``InspectorError``.

    A file is opened before the window, so that it is refused as by every command.
    """
    if not is_pid(source):
        if read_only:
            raise UsageError(f"--read-only looks at a process, and this is no process id: {source}")
        with opened_source(source):
            return existing(source)
    (require_readable if read_only else find_target)(int(source))
    return None


def parse_size(text: str) -> tuple[int, int]:
    """``1440x900``. Raises ``UsageError``."""
    found = _SIZE.fullmatch(text)
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (found and width <= MOST_PIXELS and height <= MOST_PIXELS):
        raise UsageError(f"a size is written 1440x900, each at most {MOST_PIXELS}: {text}")
    return width, height
