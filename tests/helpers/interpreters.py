"""Interpreters that this machine's system does not have.

Debian's packages of them, unpacked below ``build/interpreters`` and nowhere else.

Fetched once (or into ``ARC_INSPECTOR_INTERPRETERS``) from the Debian mirror that apt is set up
with, with apt's own checks of signatures and with state of its own: the system's packages stay as
they are. They come with the libraries that they were built for, including the C library, and run
with those. ``python -m tests.helpers.interpreters`` fetches all of them.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FETCHED: Final = {
    "python3.14": ("python3.14",),
    "python3.15": ("python3.15",),
    "pypy3": ("pypy3",),
    "musl": ("musl",),
}
"""Packages by what is wanted of them; what they depend on comes along."""
LIBRARY_FILES: Final = {"musl": "usr/lib/x86_64-linux-musl/libc.so"}
"""Those that are libraries; the others are programs in ``usr/bin``."""
SUITES: Final = ("testing", "unstable")
"""Of Debian, in the order in which they are tried."""
KEYRINGS: Final = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
LIBRARIES: Final = "usr/lib/x86_64-linux-gnu"
LOADERS: Final = (
    "usr/lib64/ld-linux-x86-64.so.2",
    "lib64/ld-linux-x86-64.so.2",
    f"{LIBRARIES}/ld-linux-x86-64.so.2",
)
PATIENCE_SECS: Final = 100.0
"""For all of it: a test that waits for it has 120."""
FAILURE_HOLDS_SECS: Final = 3600.0
"""So long nobody tries again; ``python -m tests.helpers.interpreters`` always does."""


class NoInterpreterError(Exception):
    """It could not be fetched; the message names the attempts and the reason in one line."""


@functools.cache
def fetched(name: str) -> str:
    """The program or library, fetched when it is not there yet.

    Several processes may ask at once. Raises ``NoInterpreterError``.
    """
    home = _home()
    failure = home / f"{name}.failed"
    if _works(name, home / name):
        return str(_wanted(name, home / name))
    with contextlib.suppress(OSError):
        if time.time() - failure.stat().st_mtime < FAILURE_HOLDS_SECS:
            raise NoInterpreterError(failure.read_text())
    try:
        _fetch(name, home)
    except (NoInterpreterError, OSError, subprocess.TimeoutExpired) as error:
        reason = " ".join(f"no {name} from Debian's {' or '.join(SUITES)}: {error}".split())
        with contextlib.suppress(OSError):
            failure.write_text(reason)
        raise NoInterpreterError(reason) from error
    return str(_wanted(name, home / name))


def _home() -> Path:
    return Path(os.environ.get("ARC_INSPECTOR_INTERPRETERS") or ROOT / "build" / "interpreters")


def _wanted(name: str, folder: Path) -> Path:
    return folder / LIBRARY_FILES.get(name, f"usr/bin/{name}")


def _works(name: str, folder: Path) -> bool:
    """Whether it exists and, a program, starts; a program whose checkout has moved does not."""
    wanted = _wanted(name, folder)
    if name in LIBRARY_FILES:
        return wanted.exists()
    try:
        return (
            subprocess.run(
                [wanted, "-I", "-S", "-c", ""], capture_output=True, timeout=30, check=False
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _fetch(name: str, home: Path) -> None:
    """Download, unpack, make it run where it is to lie. Raises ``NoInterpreterError``."""
    if (
        platform.machine() != "x86_64"
        or not shutil.which("apt-get")
        or not shutil.which("dpkg-deb")
    ):
        raise NoInterpreterError("this is no Debian on x86-64")
    home.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + PATIENCE_SECS
    with tempfile.TemporaryDirectory(dir=home, prefix="unfinished-") as unfinished:
        made = Path(unfinished, "root")
        for package in _download(FETCHED[name], Path(unfinished), until):
            _run(["dpkg-deb", "-x", package, made], until)
        kept = home / name
        if name not in LIBRARY_FILES:
            _relocate(made, _wanted(name, made), kept, until)
        if kept.exists():
            kept.rename(Path(unfinished, "before"))
        with contextlib.suppress(OSError):  # another process was faster: its folder is as good
            made.rename(kept)
    if not _works(name, home / name):
        raise NoInterpreterError("it does not start here")


def _download(packages: Sequence[str], folder: Path, until: float) -> list[Path]:
    """The packages with all that they depend on, from the first suite that has them."""
    refusals = []
    for mirror in _mirrors():
        for suite in SUITES:
            place = folder / suite
            try:
                settings = _settings(place, mirror, suite)
                _run(["apt-get", "-qq", "update"], until, settings)
                _run(
                    [
                        "apt-get",
                        "-qq",
                        "--yes",
                        "--download-only",
                        "install",
                        *packages,
                        "patchelf",
                    ],
                    until,
                    settings,
                )
            except NoInterpreterError as error:
                refusals.append(f"{suite}: {error}")
            else:
                return sorted((place / "cache" / "archives").glob("*.deb"))
    raise NoInterpreterError("; ".join(refusals) or "apt is set up with no mirror of Debian")


def _mirrors() -> list[str]:
    """Debian's mirrors among the system's own sources of packages."""
    asked = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(COMPONENT) $(RELEASE)",
        "Identifier: Packages",
    ]
    found = [line.split() for line in _said(asked).splitlines() if len(line.split()) == 3]
    return list(
        dict.fromkeys(
            uri
            for uri, component, _ in found
            if component == "main" and uri.rstrip("/").endswith("/debian")
        )
    )


def _settings(place: Path, mirror: str, suite: str) -> dict[str, str]:
    """An apt environment of its own: the system's mirror and trusted keys, and nothing else."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        Path(place, part).mkdir(parents=True, exist_ok=True)
    Path(place, "state/status").touch()
    signed = next((f"[signed-by={each}] " for each in KEYRINGS if Path(each).exists()), "")
    Path(place, "sources.list").write_text(f"deb {signed}{mirror} {suite} main\n")
    ways = _said(["apt-config", "dump", "Acquire"])
    own = {
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": "/dev/null",
        "Dir::Etc::sourcelist": place / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": place / "state",
        "Dir::State::status": place / "state/status",
        "Dir::Cache": place / "cache",
        "Dir::Log": place / "log",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Retries": "1",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
    }
    written = place / "apt.conf"
    written.write_text(ways + "".join(f'{name} "{value}";\n' for name, value in own.items()))
    return {"APT_CONFIG": str(written), "LC_ALL": "C"}


def _relocate(made: Path, program: Path, kept: Path, until: float) -> None:
    """Have the program use the loader and libraries that came with it once ``made`` lies at
    ``kept``.

    The libraries' path first: done after the loader's, or with it, patchelf 0.18 leaves a program
    that crashes.
    """
    loader = next((each for each in LOADERS if (made / each).exists()), None)
    if loader is None or not program.exists():
        raise NoInterpreterError(f"the packages have no {program.name} or no loader for it")
    real = program.resolve()
    beside = os.path.relpath(made / LIBRARIES, real.parent)
    patchelf: list[str | Path] = [
        made / loader,
        "--library-path",
        made / LIBRARIES,
        made / "usr/bin/patchelf",
    ]
    _run([*patchelf, "--force-rpath", "--set-rpath", f"$ORIGIN/{beside}", real], until)
    _run([*patchelf, "--set-interpreter", kept / loader, real], until)


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _run(command: Sequence[str | Path], until: float, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=max(until - time.monotonic(), 1),
    )
    if done.returncode:
        said = [
            line for line in done.stderr.splitlines() if line.startswith("E:")
        ] or done.stderr.splitlines()
        raise NoInterpreterError((said or [f"{command[0]} failed"])[0].removeprefix("E:").strip())


def missing() -> Iterator[str]:
    """Fetch all, again after a failure; returns the reasons for missing ones."""
    for name in FETCHED:
        Path(_home(), f"{name}.failed").unlink(missing_ok=True)
        try:
            fetched(name)
        except NoInterpreterError as error:
            yield str(error)


def main() -> None:
    """Fetch all; an interpreter that cannot be fetched is named and left out."""
    for reason in missing():
        print(f"{reason} (tests that need it are skipped)", file=sys.stderr)


if __name__ == "__main__":
    main()
