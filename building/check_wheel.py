"""Checks of a built wheel: its libraries, its platform, its stable ABI, its files."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from building.shared_files import PLACES
from building.targets import Target

NEEDED: Final = re.compile(r"lib(c|m|dl|pthread|gcc_s)\.so\.\d+|ld-linux-(x86-64|aarch64)\.so\.\d+")
"""Libraries that every Linux with glibc has."""
EXPORTED: Final = re.compile(r"PyInit_\w+|_cffi_pypyinit_\w+|arc_inspector_runtime")
PRELOAD: Final = "inspector/_preload.abi3.so"
PRELOADED: Final = re.compile(r"dlsym")
PRELOAD_MACHINES: Final = ("x86_64",)
"""Processors for which that library has code."""


def expect(holds: bool, sentence: str, evidence: object = "") -> None:
    """End the run with the sentence that does not hold."""
    if not holds:
        raise SystemExit(f"package: not so: {sentence}\n{evidence}")


def check_wheel(wheel: Path, target: Target) -> None:
    """Check one wheel. Raises ``SystemExit``."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        names = archive.namelist()
        _check_shared_files(names)
        libraries = [name for name in names if name.endswith(".so")]
        if target.is_pure:
            expect(not libraries, "the pure wheel has no library", libraries)
            return
        expect(
            sum(name.startswith("inspector/_native") for name in libraries) == 1,
            "the wheel has one native library",
            libraries,
        )
        own = Path(archive.extract("inspector/_native.abi3.so", folder))
        check_library(own)
        abi3audit(own)
        if target.machine in PRELOAD_MACHINES:
            check_library(Path(archive.extract(PRELOAD, folder)), PRELOADED)
    if target.is_portable:
        auditwheel(wheel, target)


def _check_shared_files(names: list[str]) -> None:
    wanted = [
        f"/data/{folder}/{renamed or Path(source).name}"
        for source, (folder, renamed) in PLACES.items()
    ]
    missing = [each for each in wanted if not any(name.endswith(each) for name in names)]
    expect(not missing, "the wheel has menu entry, icon, file type, man page, completions", missing)


def check_library(library: Path, exports: re.Pattern[str] = EXPORTED) -> None:
    """Needs system libraries alone, has no search path and no debug information."""
    facts = _words("readelf", "--dynamic", "--wide", library)
    paths = [line for line in facts if "(RUNPATH)" in line or "(RPATH)" in line]
    expect(not paths, "the library has no search path of the building machine", paths)
    needed = [found[1] for line in facts if (found := re.search(r"\(NEEDED\).*\[(.*)\]", line))]
    strange = [name for name in needed if not NEEDED.fullmatch(name)]
    expect(bool(needed) and not strange, "the library needs system libraries alone", needed)
    sections = _words("readelf", "--sections", "--wide", library)
    debug = [line for line in sections if ".debug_" in line]
    expect(not debug, "the library has no debug information", debug)
    exported = [
        line.split()[-1] for line in _words("nm", "--dynamic", "--defined-only", library) if line
    ]
    hidden = [name for name in exported if not exports.fullmatch(name)]
    expect(bool(exported) and not hidden, "the library exports its entries alone", hidden)


def abi3audit(library: Path) -> None:
    """The library uses the stable ABI of the oldest Python alone."""
    words = ["--strict", "--assume-minimum-abi3", "3.11", str(library)]
    done = subprocess.run(
        [sys.executable, "-m", "abi3audit", *words], capture_output=True, text=True, check=False
    )
    expect(done.returncode == 0, "abi3audit finds no violation", done.stdout + done.stderr)


def auditwheel(wheel: Path, target: Target) -> None:
    """The wheel runs on every system of its platform tag."""
    done = subprocess.run(
        [sys.executable, "-m", "auditwheel", "show", str(wheel)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    found = re.search(
        r'consistent with the following platform tag: "manylinux_2_(\d+)_(\w+)"', said
    )
    expect(
        found is not None and int(found[1]) <= 28 and found[2] == target.machine,
        f"auditwheel finds it fit for {target.tag}",
        said,
    )


def _words(*command: str | Path) -> list[str]:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def main() -> int:
    """Check the wheels of a folder that were built for this machine."""
    for wheel in Path(sys.argv[1]).glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
            library = Path(archive.extract("inspector/_native.abi3.so", folder))
            check_library(library)
            abi3audit(library)
    return 0


if __name__ == "__main__":
    sys.exit(main())
