"""``./dev package``: every package that strangers install, built from the source distribution.

The wheel for older systems is built from the unpacked source distribution without a network. Each
check names the sentence that does not hold and ends the run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from building import backends, shared_files
from building.check_wheel import check_wheel, expect
from building.targets import MACHINES, PURE, VARIABLE, Target

ROOT: Final = Path(__file__).resolve().parent.parent
PLACE: Final = ROOT / "build" / "package"


def say(sentence: str) -> None:
    """Name the step."""
    print(f"\033[1m{sentence}\033[0m", file=sys.stderr, flush=True)


def run(
    words: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> None:
    """Run a step; its failure ends the run."""
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**os.environ, **(env or {})}, check=False
    )
    expect(done.returncode == 0, f"{Path(words[0]).name} {words[1]} {words[2]} succeeds")


def source_distribution() -> Path:
    """Build it from the tree."""
    say("building the source distribution")
    words = ["-m", "build", "--sdist", "--no-isolation", "--skip-dependency-check", "--outdir"]
    run([sys.executable, *words, PLACE, "."])
    (made,) = PLACE.glob("*.tar.gz")
    return made


def without_network() -> list[str]:
    """Words before a command that take the network away, where this system allows it."""
    words = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run([*words, "true"], capture_output=True, check=False)
    if tried.returncode:
        say("this system does not take a process's network away; pip and cargo are told alone")
        return []
    return words


def wheel(archive: Path, tag: str, target_folder: Path) -> Path:
    """Build one wheel from the source distribution, without a network and without any cache."""
    say(f"building the wheel {tag} from the source distribution, without a network")
    folder = PLACE / tag
    nothing = PLACE / "empty"
    nothing.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check"]
    pip += ["--no-deps", "--no-index", "--no-build-isolation", "--no-cache-dir"]
    rustup = os.environ.get("RUSTUP_HOME") or str(Path.home() / ".rustup")
    run(
        [*without_network(), *pip, "--wheel-dir", folder, archive],
        env={
            VARIABLE: tag,
            "CARGO_HOME": str(nothing),
            "CARGO_NET_OFFLINE": "true",
            "CARGO_TARGET_DIR": str(target_folder),
            "RUSTUP_HOME": rustup,
            "PIP_FIND_LINKS": "",
        },
    )
    (made,) = folder.glob("*.whl")
    return made


def has_standard_library(target: Target) -> bool:
    """Whether this Rust can compile for the target; rustup is asked to bring what is missing."""
    words = ["rustc", "--print", "target-libdir", "--target", target.rust]

    def is_there() -> bool:
        found = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
        return bool(found) and any(Path(found).glob("libstd-*"))

    if not is_there() and shutil.which("rustup"):
        subprocess.run(["rustup", "target", "add", target.rust], check=False)
    return is_there()


def main(arguments: Sequence[str]) -> int:
    """Build and check; an argument names the only platform tag to build."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    for machine in MACHINES:
        refusals = backends.fetch(machine)
        expect(not refusals, "cffi's backends can be fetched", refusals)
    shared_files.main()
    archive = source_distribution()
    made = []
    for machine in MACHINES:
        target = Target(f"manylinux_2_28_{machine}", machine)
        if arguments and target.tag not in arguments:
            continue
        if not has_standard_library(target):
            say(f"not built: {target.tag}, since this Rust has no standard library for it")
            continue
        made.append((wheel(archive, target.tag, ROOT / "build" / "cargo-package"), target))
    if not arguments or PURE in arguments:
        target = Target(PURE, "")
        made.append((wheel(archive, PURE, ROOT / "build" / "cargo-package"), target))
    for path, target in made:
        check_wheel(path, target)
        say(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, as it has to be")
    run([sys.executable, "-m", "twine", "check", "--strict", archive, *(each for each, _ in made)])
    for path, target in made:
        if target.machine == MACHINES[0]:
            say("trying the wheel in fresh environments")
            run([sys.executable, "tests/wheel/try_wheel.py", path.parent])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
