"""Packages of the npm registry that the tests of Node use.

Fetched once into ``build/packages`` (or ``ARC_INSPECTOR_PACKAGES``).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.helpers.targets import ROOT

KOFFI: Final = "koffi@3.3.4"
FETCH_SECS: Final = 240.0
TOOLS: Final = ("node", "npm")


class NoNodeError(Exception):
    """There is no Node, or the package cannot be had."""


def koffi() -> Path:
    """The folder of the package, fetched the first time. Raises ``NoNodeError``."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise NoNodeError(f"not installed: {', '.join(missing)}")
    home = Path(os.environ.get("ARC_INSPECTOR_PACKAGES") or ROOT / "build" / "packages") / "npm"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as unfinished:
            made = Path(unfinished) / "npm"
            made.mkdir()
            _fetch(made)
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(home)
    return home / "node_modules" / "koffi"


def _fetch(into: Path) -> None:
    words = ["npm", "install", "--no-fund", "--no-audit", "--ignore-scripts", KOFFI]
    try:
        done = subprocess.run(words, cwd=into, capture_output=True, text=True, timeout=FETCH_SECS)
    except subprocess.TimeoutExpired:
        raise NoNodeError(f"no answer within {FETCH_SECS:.0f} s: {KOFFI}") from None
    if done.returncode != 0:
        raise NoNodeError(f"not to be had: {KOFFI}: {(done.stdout + done.stderr)[-300:]}")


if __name__ == "__main__":
    try:
        koffi()
    except NoNodeError as error:
        print(f"its tests are skipped: {error}")
