"""Libraries of UniFFI's and the hosts without Python that call them, for tests."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path
from typing import Any, Final

from inspector.attach.preload import preload_environment
from inspector.vocabulary import Level
from tests.helpers.command_line import run_command
from tests.helpers.outside import package_home
from tests.helpers.packages import package_folder
from tests.helpers.targets import PATIENCE_SECS, ROOT

SHAPES: Final = ROOT / "native" / "peers" / "uniffi_shapes"
HOST: Final = ROOT / "tests" / "targets" / "shapes.c"
BUILD_SECS: Final = 300.0
"""The crates of UniFFI are built once, in some 40 s."""


def shapes_library() -> Path:
    """A library with every way in which a handle reaches a host."""
    SHAPES.joinpath("target").mkdir(exist_ok=True)
    with (SHAPES / "target" / ".tests").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        words = ["cargo", "build", "-q", "--release", "--locked"]
        _done(words, cwd=SHAPES, patience=BUILD_SECS)
    return SHAPES / "target" / "release" / "libuniffi_shapes.so"


def shapes_host(folder: Path, *, linked_with: Path | None = None) -> Path:
    """The host in C; ``linked_with``: the linker and not the host finds this library."""
    program = folder / "shapes"
    words = ["gcc", "-Wall", "-Wextra", "-Werror", "-g", "-O1", str(HOST), "-o", str(program)]
    words += [] if linked_with is None else ["-DLINKED", str(linked_with)]
    _done([*words, "-ldl", "-lpthread"])
    return program


def described(library: Path) -> list[int]:
    """Contract, classes, functions, descriptions that are not understood, functions followed."""
    # as `cargo test` has built it
    words = ["cargo", "build", "-q", "--locked", "--workspace", "--example", "describe"]
    _done(words, cwd=ROOT / "native", patience=BUILD_SECS)
    said = _done(
        [str(ROOT / "native" / "target" / "debug" / "examples" / "describe"), str(library)]
    )
    return [int(word) for word in said.split()]


def preloaded(level: Level = Level.STACKS) -> dict[str, str]:
    """The environment in which the agent comes into a program of any language."""
    return preload_environment(os.environ, level)


def installed(package: str) -> Path:
    """The folder of an older package, or of the environment's."""
    if "==" in package:
        return package_folder(package)
    return package_home(package.replace("-", "_"))


def rows(child: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """The rows that a viewer lists of a host."""
    seen = run_command("handles", child.pid, "--json")
    assert seen.status == 0, seen
    found: list[dict[str, Any]] = seen.json["handles"]
    return found


def counts(child: subprocess.Popen[str]) -> list[tuple[str, int, int, int]]:
    """Type, strong count, handles and native references of each row."""
    facts = [
        (row["type"], row["strong"], row["proxies"], row["native_refs"]) for row in rows(child)
    ]
    return sorted(facts)


def _done(words: list[str], *, cwd: Path = ROOT, patience: float = PATIENCE_SECS) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=patience)
    assert done.returncode == 0, done.stderr
    return done.stdout
