"""Files below ``share`` of an installation: menu entry, icon, file type, man page, completions.

``python -m building.shared_files`` writes those that are made from the table of commands into
``build/shared``; it needs the commands. A build installs what is there, and a source distribution
carries it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
DESKTOP: Final = "building/desktop"
MADE: Final = "build/shared"
SHIPPED: Final = "building/made"
"""The folder of generated files in a source distribution."""
PLACES: Final[Mapping[str, tuple[str, str]]] = {
    f"{DESKTOP}/arc-inspector.desktop": ("share/applications", ""),
    f"{DESKTOP}/arc-inspector-open.desktop": ("share/applications", ""),
    f"{DESKTOP}/arc-inspector.xml": ("share/mime/packages", ""),
    "resources/icons/app.svg": ("share/icons/hicolor/scalable/apps", "arc-inspector.svg"),
    "made/arc-inspector.1": ("share/man/man1", ""),
    "made/bash": ("share/bash-completion/completions", "arc-inspector"),
    "made/zsh": ("share/zsh/site-functions", "_arc-inspector"),
    "made/fish": ("share/fish/vendor_completions.d", "arc-inspector.fish"),
}
"""Folder of an installation by source, and the name there where it is another."""


def data_files() -> list[tuple[str, list[str]]]:
    """The files as setuptools takes them: each folder with its sources."""
    found: dict[str, list[str]] = {}
    for source, (folder, name) in PLACES.items():
        path = _source(source)
        if path is None:
            continue
        if name:
            renamed = ROOT / "build" / "renamed" / folder / name
            renamed.parent.mkdir(parents=True, exist_ok=True)
            path = Path(shutil.copy(path, renamed))
        found.setdefault(folder, []).append(str(path.relative_to(ROOT)))
    return list(found.items())


def _source(name: str) -> Path | None:
    """The file; ``None``: it is made, and was not made here."""
    made = name.removeprefix("made/")
    places = [ROOT / name] if made == name else [ROOT / MADE / made, ROOT / SHIPPED / made]
    return next((place for place in places if place.is_file()), None)


def made_texts() -> Iterator[tuple[str, str]]:
    """Name and text of each file that is made from the table of commands."""
    from building.manual import manual
    from inspector.commands.completion import WRITERS, command_words

    yield "arc-inspector.1", manual()
    for shell, write in WRITERS.items():
        yield shell, write(command_words())


def copy_made(base: Path) -> None:
    """Put the files that were made into the tree of a source distribution."""
    for source in PLACES:
        path = _source(source)
        if source.startswith("made/") and path is not None:
            (base / SHIPPED).mkdir(exist_ok=True)
            shutil.copy(path, base / SHIPPED / path.name)


def main() -> int:
    """Write the files."""
    folder = ROOT / MADE
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in made_texts():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
