"""Older packages that the UniFFI adapter is tried on.

Each in a folder of its own, beside the environment and never in it.

Fetched once by ``pip install --no-deps --target`` into ``build/packages`` (or
``ARC_INSPECTOR_PACKAGES``). ``python -m tests.helpers.packages`` fetches all of them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
OLDER: Final = (
    "bdkpython==0.0.4",
    "glean-sdk==50.1.4",
    "glean-sdk==54.0.0",
    "glean-sdk==57.0.0",
    "glean-sdk==60.0.0",
    "nostr-sdk==0.32.2",
    "bdkpython==2.2.0",
    "nostr-sdk==0.44.8",
)
"""By what UniFFI wrote them: before contract numbers (two), contract 22, 24, 26 (two), 29 (two)."""


class NoPackageError(Exception):
    """The registry has no wheel of the package for this machine; the message is pip's."""


def package_folder(requirement: str) -> Path:
    """The folder that is to be put on ``sys.path``; fetches the package the first time.

    Several processes may ask at once.
    """
    home = Path(os.environ.get("ARC_INSPECTOR_PACKAGES") or ROOT / "build" / "packages")
    folder = (
        home
        / f"{requirement.replace('==', '-')}-cp{sys.version_info.major}{sys.version_info.minor}"
    )
    if not folder.exists():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as unfinished:
            made = Path(unfinished) / "package"
            _install(requirement, made)
            with contextlib.suppress(OSError):  # another process was faster: its folder is as good
                made.rename(folder)
    return folder


def _install(requirement: str, into: Path) -> None:
    """``pip install`` of one wheel, with nothing that it depends on."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--disable-pip-version-check",
    ]
    done = subprocess.run(
        [*pip, "--target", str(into), requirement], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoPackageError(
            f"{requirement}: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}"
        )


def main() -> None:
    """Fetch all; a package that cannot be fetched is named and left out."""
    for requirement in OLDER:
        try:
            package_folder(requirement)
        except NoPackageError as error:
            print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
