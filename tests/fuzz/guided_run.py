"""Coverage-guided fuzzing: libFuzzer over native subjects, atheris over subjects in Python."""

from __future__ import annotations

import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.fuzz.guided import read_corpus, write_corpus
from tests.helpers.targets import ROOT

NATIVE: Final = ("native-segment", "native-control", "native-elf")
"""Subjects of the native half; the code of each is in `native/verify/src/cases`."""
FLAGS: Final = (
    "-Zsanitizer=address -Cpasses=sancov-module -Ccodegen-units=1"
    " -Cllvm-args=-sanitizer-coverage-level=4"
    " -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
    " -Cllvm-args=-sanitizer-coverage-pc-table"
    " -Cllvm-args=-sanitizer-coverage-trace-compares"
)
"""The flags of cargo-fuzz."""
LIMITS: Final = ("-timeout=20", "-rss_limit_mb=2048", "-max_len=8000", "-len_control=0")
MOST_TOLD: Final = 60
"""Last lines of a crash to print."""
FIRST_CASES: Final = 32
"""Cases of random bytes, for a subject without a corpus."""
FIRST_BYTES: Final = 400


def look_further(subjects: Sequence[str], secs: float) -> int:
    """Fuzz each for so long, and keep the cases that reach new code. 1: something crashed."""
    if any(subject in NATIVE for subject in subjects):
        _build()
    found = [_fuzz(subject, secs) for subject in subjects]
    return int(any(found))


def _host() -> str:
    return f"{platform.machine()}-unknown-linux-gnu"


def _build() -> None:
    subprocess.run(
        ["cargo", "build", "--release", "--target", _host(), "--target-dir", "../target/fuzz"],  # noqa: S607
        cwd=ROOT / "native/fuzz",
        env=os.environ | {"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": FLAGS},
        check=True,
    )


def _command(subject: str) -> list[str]:
    if subject not in NATIVE:
        return [sys.executable, "-m", "tests.fuzz.libfuzzer", subject]
    name = subject.removeprefix("native-")
    return [str(ROOT / f"native/target/fuzz/{_host()}/release/{name}")]


def _fuzz(subject: str, secs: float) -> bool:
    with tempfile.TemporaryDirectory() as name:
        known, merged = (Path(name) / part for part in ("known", "merged"))
        _unpack(read_corpus(subject) or _first_cases(), known)
        merged.mkdir()
        run = [*_command(subject), *LIMITS, f"-artifact_prefix={name}/"]
        environment = os.environ | {"TMPDIR": name}
        fuzzed = subprocess.run(
            [*run, f"-max_total_time={secs:.0f}", "-print_final_stats=1", str(known)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        told = [line for line in fuzzed.stderr.splitlines() if "DONE" in line or "stat::" in line]
        print(f"{subject}: " + " ".join(" ".join(line.split()) for line in told))
        _crashes(subject, Path(name))
        if fuzzed.returncode:
            print("\n".join(fuzzed.stderr.splitlines()[-MOST_TOLD:]))
        if subject in NATIVE:  # a merge of libFuzzer cannot start interpreters
            subprocess.run(
                [*run, "-merge=1", str(merged), str(known)],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                check=True,
            )
        found = merged if subject in NATIVE else known
        cases = [path.read_bytes() for path in found.iterdir()]
        print(f"{subject}: {write_corpus(subject, cases):,} of {len(cases):,} cases kept")
        return fuzzed.returncode != 0


def _unpack(cases: Iterable[bytes], folder: Path) -> None:
    folder.mkdir()
    for number, case in enumerate(cases):
        (folder / str(number)).write_bytes(case)


def _first_cases() -> list[bytes]:
    rng = random.Random(1)  # noqa: S311 - cases, not secrets
    return [rng.randbytes(FIRST_BYTES) for _ in range(FIRST_CASES)]


def _crashes(subject: str, folder: Path) -> None:
    """Files of cases that ended a process, kept for a look."""
    for path in folder.iterdir():
        if path.is_file() and path.name.partition("-")[0] in ("crash", "timeout", "oom", "leak"):
            to = ROOT / "build" / "fuzz" / subject / path.name
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())
            print(f"CRASH {subject}: {to.relative_to(ROOT)}")
