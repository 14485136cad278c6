"""Packages of Maven Central that the JVM tests use, and the programs over them.

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

BDK: Final = (
    "org.bitcoindevkit:bdk-jvm:2.3.0",
    "net.java.dev.jna:jna:5.17.0",
    "org.jetbrains.kotlin:kotlin-stdlib:2.2.21",
)
FETCH_SECS: Final = 240.0
TOOLS: Final = ("java", "javac", "mvn")


class NoJavaError(Exception):
    """There is no JDK, or the packages cannot be had."""


def class_path() -> str:
    """The packages, fetched the first time. Raises ``NoJavaError``."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise NoJavaError(f"not installed: {', '.join(missing)}")
    home = Path(os.environ.get("ARC_INSPECTOR_PACKAGES") or ROOT / "build" / "packages") / "maven"
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as unfinished:
            made = Path(unfinished) / "maven"
            for package in BDK:
                _fetch(package, made)
            with contextlib.suppress(OSError):  # another process was faster
                made.rename(home)
    return ":".join(str(jar) for jar in sorted(home.glob("*.jar")))


def _fetch(package: str, into: Path) -> None:
    words = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={package}"]
    try:
        done = subprocess.run(
            [*words, f"-DoutputDirectory={into}"],
            capture_output=True,
            text=True,
            timeout=FETCH_SECS,
        )
    except subprocess.TimeoutExpired:
        raise NoJavaError(f"no answer within {FETCH_SECS:.0f} s: {package}") from None
    if done.returncode != 0:
        raise NoJavaError(f"not to be had: {package}: {(done.stdout + done.stderr)[-300:]}")


def compiled(program: str, packages: str, into: Path) -> str:
    """The class path of a program of ``tests/targets`` with its packages."""
    source = ROOT / "tests" / "targets" / f"{program}.java"
    words = ["javac", "-cp", packages, "-d", str(into), str(source)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=FETCH_SECS)
    assert done.returncode == 0, done.stderr
    return f"{into}:{packages}"


if __name__ == "__main__":
    try:
        class_path()
    except NoJavaError as error:
        print(f"its tests are skipped: {error}")
