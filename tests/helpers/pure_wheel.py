"""An installation of the pure wheel, run as on a system without a native library and without Unix.

The wheel is built from this tree, and unpacked. A child imports it in place of the tree; modules
that Windows does not have cannot be imported there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from tests.helpers.command_line import PATIENCE_SECS, Finished, command_environment
from tests.helpers.targets import ROOT

HIDDEN: Final = ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog")
"""Modules of Unix; packages that are installed here for Linux are imported before they go."""
BEGIN: Final = f"""
import sys
sys.path[:] = [each for each in sys.path if each != {str(ROOT)!r}]
sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in repr(each).lower()]
import psutil
for name in {HIDDEN!r}:
    sys.modules[name] = None
import inspector
assert {str(ROOT / "inspector")!r} not in inspector.__path__, inspector.__path__
sys.argv[0] = "arc-inspector"
"""


COMMAND_LINE: Final = "from inspector.__main__ import main; sys.exit(main())"


def build_pure_wheel(folder: Path) -> Path:
    """Build the wheel into a folder; returns its file."""
    words = [sys.executable, "setup.py", "-q", "build", "--build-base", str(folder / "build")]
    words += ["bdist_wheel", "--bdist-dir", str(folder / "unpacked"), "--dist-dir", str(folder)]
    done = subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, "ARC_INSPECTOR_BUILD_FOR": "any"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Unpack a wheel; returns the folder that goes to the front of ``sys.path``."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_pure(
    installed: Path,
    *words: str,
    program: str = COMMAND_LINE,
) -> Finished:
    """Run the command line, or another program, over the installation."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", BEGIN + program, *words],
        env={**command_environment(None), "PYTHONPATH": str(installed)},
        cwd=installed.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        stdin=subprocess.DEVNULL,
    )
    return Finished(done.returncode, done.stdout, done.stderr)
