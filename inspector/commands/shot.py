"""``arc-inspector shot PID -o FILE.png``: a screenshot without a display, its data embedded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from inspector.attach.discovery import find_target
from inspector.commands.support.opening import ReadOnly
from inspector.commands.support.options import Force, require_absent
from inspector.commands.support.output import say
from inspector.commands.support.redacting import Preview, keeps_parts, preview_of
from inspector.errors import UsageError
from inspector.model.redaction import NOTHING_KEPT, Kept
from inspector.session.outside import require_readable

MOST_PIXELS: Final = 16_384
"""Of a side of a picture: larger ones take gigabytes."""
_SIZE: Final = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


@keeps_parts
def shot(
    pid: Annotated[int, typer.Argument(help="Process id.")],
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
    """Save a picture of the window on a process, with the whole snapshot inside.

    Private parts are left out of the picture and of its data.
    """
    width, height = parse_size(size)
    if theme not in ("light", "dark"):
        raise UsageError(f"a theme is light or dark: {theme}")
    require_absent(output, force=force)
    if preview:
        preview_of(pid, kept, read_only=read_only)
        return
    if read_only:
        require_readable(pid)
    else:
        find_target(pid)
    # Qt is loaded only where it is used
    from inspector.commands.support.offscreen import OffscreenWindow, use_offscreen

    use_offscreen()
    with OffscreenWindow(theme=theme, width=width, height=height, kept=kept) as window:
        window.attach(pid, read_only=read_only)
        window.wait_settled()
        left_out = window.save(output)
    say(f"saved {output} with its data inside{f'; {left_out}' if left_out else ''}")


def parse_size(text: str) -> tuple[int, int]:
    """``1440x900``. Raises ``UsageError``."""
    found = _SIZE.fullmatch(text)
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (found and width <= MOST_PIXELS and height <= MOST_PIXELS):
        raise UsageError(f"a size is written 1440x900, each at most {MOST_PIXELS}: {text}")
    return width, height
