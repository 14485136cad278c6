"""Copies of the source tree that a test may change.

Git's files, with the built files beside them.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.helpers.targets import ROOT

BUILT = (
    "inspector/_native.abi3.so",
    "inspector/attach/backends",
    "inspector/ui/resources",
    "native/include",
    "native/peers",
)
"""Files that the build made and git does not know; the Python tests use them as they are."""


def fill(folder: Path) -> None:
    """Make ``folder`` a copy of the tree; other files in it are removed."""
    words = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    known = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
    names = known.stdout.decode().split("\0")
    wanted = {name for name in names if name and (ROOT / name).is_file()}
    for old in [
        path
        for path in folder.rglob("*")
        if path.is_file() and str(path.relative_to(folder)) not in wanted
    ]:
        old.unlink()
    for name in sorted(wanted):
        copy(ROOT / name, folder / name)
    for name in BUILT:
        for file in [ROOT / name, *(ROOT / name).rglob("*.*")]:
            if file.is_file() and "target" not in file.parts:
                copy(file, folder / file.relative_to(ROOT))


def copy(file: Path, to: Path) -> None:
    """Copy a file with its time, unless the same bytes are there: cargo goes by times."""
    if not to.exists() or to.read_bytes() != file.read_bytes():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, to)
