"""cffi's own backends for interpreters whose environment has no cffi.

``backends.toml`` pins them. ``python -m building.backends [MACHINE …]`` fetches what is missing into
``build/backends``; a build copies from there and uses no network.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PINS: Final = Path(__file__).with_name("backends.toml")
FETCHED: Final = ROOT / "build" / "backends"
SHIPPED: Final = Path(__file__).with_name("fetched")
"""The folder of the backends in a source distribution."""


def pins(machine: str) -> tuple[str, dict[str, str]]:
    """The version of cffi, and the hash of its wheel by interpreter (``311``)."""
    table = tomllib.loads(PINS.read_text(encoding="utf-8"))
    return str(table["version"]), dict(table.get(machine, {}))


def file_name(minor: str, machine: str) -> str:
    """The backend's file within its wheel."""
    return f"_cffi_backend.cpython-{minor}-{machine}-linux-gnu.so"


def kept_backend(minor: str, machine: str) -> Path | None:
    """The backend, fetched or shipped; ``None``: it is missing."""
    version, _ = pins(machine)
    places = (FETCHED / version, SHIPPED)
    found = (place / file_name(minor, machine) for place in places)
    return next((path for path in found if path.is_file()), None)


def copy_backends(into: Path, machine: str) -> None:
    """Put the backends of a machine into a folder, and remove those of other machines.

    A missing backend is reported, and is no failure; a backend that the folder has stays.
    """
    into.mkdir(parents=True, exist_ok=True)
    wanted = {file_name(minor, machine) for minor in pins(machine)[1]}
    for other in {path.name for path in into.glob("*.so")} - wanted:
        (into / other).unlink()
    for minor in pins(machine)[1]:
        kept = kept_backend(minor, machine)
        if kept is not None:
            shutil.copy(kept, into / kept.name)
        elif not (into / file_name(minor, machine)).exists():
            print(
                f"no {file_name(minor, machine)}: targets with that interpreter need a cffi of "
                "their own (python -m building.backends fetches it)",
                file=sys.stderr,
            )


def fetch(machine: str) -> list[str]:
    """Fetch what is missing; returns a line for each backend that cannot be had."""
    version, hashes = pins(machine)
    folder = FETCHED / version
    folder.mkdir(parents=True, exist_ok=True)
    refusals = []
    for minor, digest in hashes.items():
        if kept_backend(minor, machine) is None:
            refusals += _fetch_one(
                folder, minor, machine, f"cffi=={version} --hash=sha256:{digest}"
            )
    return refusals


def _fetch_one(folder: Path, minor: str, machine: str, requirement: str) -> list[str]:
    name = file_name(minor, machine)
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, "wanted.txt")
        wanted.write_text(requirement, encoding="utf-8")
        words = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
        words += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "-d", scratch]
        words += ["--implementation", "cp", "--python-version", f"{minor[0]}.{minor[1:]}"]
        words += ["--abi", f"cp{minor}", "--platform", f"manylinux2014_{machine}"]
        words += ["-r", str(wanted)]
        done = subprocess.run(words, check=False, capture_output=True, text=True)
        for wheel in Path(scratch).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                unfinished = folder / f"{name}.unfinished"
                unfinished.write_bytes(archive.read(name))
                unfinished.rename(folder / name)
                return []
    return [f"no {name}: {' '.join(done.stderr.split())[-200:] or 'its wheel has none'}"]


def main(machines: Sequence[str]) -> int:
    """Fetch for the machines named, else for this one; exit status 1: one is missing."""
    refusals = [line for machine in machines or [platform.machine()] for line in fetch(machine)]
    for line in refusals:
        print(line, file=sys.stderr)
    return 1 if refusals else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
