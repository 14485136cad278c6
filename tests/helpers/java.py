"""Java virtual machines of this machine, and a target that holds objects of a UniFFI package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.targets import Target, start_command

HOMES = Path("/usr/lib/jvm")


def machines() -> dict[str, Path]:
    """By version: ``17``."""
    found = {}
    for release in sorted(HOMES.glob("*/release")):
        lines = dict(line.split("=", 1) for line in release.read_text().splitlines() if "=" in line)
        version = lines.get("JAVA_VERSION", "").strip('"').split(".")[0]
        java = release.parent / "bin" / "java"
        if version and java.exists():
            found[version] = java
    return found


@contextmanager
def wallets(java: Path, classes: str, *options: str) -> Iterator[Target]:
    """``tests/targets/Wallets.java`` on a virtual machine; it is killed at the end."""
    command = [str(java), "-Xmx128m", *options, "-cp", classes, "Wallets"]
    with start_command(command) as target:
        yield target
