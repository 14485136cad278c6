"""``python -m tests.fuzz [--seconds N] [--cases N] [--seed N] [--subject NAME] [--one]``.

Run the cases of the corpus and cases from seeds, list crashes and the slowest.
``--guided [--seconds N] [--subject NAME]``: have libFuzzer look for cases that reach new code.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.guided import GuidedRandom, read_corpus
from tests.fuzz.guided_run import NATIVE, look_further
from tests.fuzz.subjects import SUBJECTS, seeded, try_case

MOST_BYTES = 4 << 30
"""Address space: a number of a damaged file must not become an allocation."""
WATCHDOG_SECS = 20
"""A case that takes longer hangs: the process ends with the place where it stands."""
MOST_SHOWN = 20


class Tally:
    """The outcomes of the cases."""

    def __init__(self) -> None:
        self.cases: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.crashes: dict[str, str] = {}
        self.slowest: list[tuple[float, str]] = []

    def take(self, subject: str, case: int | bytes, folder: Path) -> None:
        """Run a case: from a seed, or of the corpus."""
        faulthandler.dump_traceback_later(WATCHDOG_SECS, exit=True)
        how = case.hex() if isinstance(case, bytes) else f"--seed {case} --one"
        rng = GuidedRandom(case) if isinstance(case, bytes) else seeded(subject, case)
        print(f"{subject} {how}", file=CURRENT, flush=True)
        began = time.process_time()
        try:
            self.refused[subject] += bool(try_case(subject, rng, folder))
        except Exception as error:  # any exception is a finding
            place = traceback.extract_tb(error.__traceback__)[-1]
            known = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            self.crashes.setdefault(known, f"--subject {subject} {how}\n{traceback.format_exc()}")
        finally:
            faulthandler.cancel_dump_traceback_later()
        self.cases[subject] += 1
        self.slowest = sorted(
            [*self.slowest, (time.process_time() - began, f"{subject} {how[:60]}")], reverse=True
        )[:5]

    def tell(self) -> None:
        """Print it all."""
        for subject, count in self.cases.items():
            print(f"{subject:14} {count:8,} cases, {self.refused[subject]:,} refused with a line")
        for secs, case in self.slowest:
            print(f"slowest: {secs:.2f} s {case}")
        for known, how in list(self.crashes.items())[:MOST_SHOWN]:
            print(f"CRASH {known}: {how}")
        print(f"{sum(self.cases.values()):,} cases, {len(self.crashes)} kinds of crash")


CURRENT = sys.stderr


def main() -> int:
    """Run the command line; 1 when something crashed."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long")
    parser.add_argument("--cases", type=int, default=0, help="so many of each subject instead")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument(
        "--subject",
        choices=[*SUBJECTS, *NATIVE],
        action="append",
        help="only this; may be given several times",
    )
    parser.add_argument(
        "--one", action="store_true", help=("only the first case, with its whole error")
    )
    parser.add_argument(
        "--guided", action="store_true", help="look for cases that reach new code, and keep them"
    )
    chosen = parser.parse_args()
    if chosen.guided:
        return look_further(chosen.subject or [*SUBJECTS, *NATIVE], chosen.seconds)
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    subjects = [name for name in chosen.subject or SUBJECTS if name not in NATIVE]
    if not subjects:
        parser.error("seeds are for subjects in Python: add --guided")
    tally = Tally()
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile("w+") as current:
        folder = Path(name)
        if chosen.one:
            print(try_case(subjects[0], seeded(subjects[0], chosen.seed), folder) or "passed")
            return 0
        globals()["CURRENT"] = current
        if not chosen.cases:
            for subject in subjects:
                for case in read_corpus(subject):
                    tally.take(subject, case, folder)
        for subject, seed in _plan(subjects, chosen.seed, chosen.cases, chosen.seconds):
            tally.take(subject, seed, folder)
    tally.tell()
    return 1 if tally.crashes else 0


def _plan(subjects: list[str], seed: int, cases: int, seconds: float) -> Iterator[tuple[str, int]]:
    """The subjects in turn, until the cases or the seconds are over."""
    ends_at = time.monotonic() + seconds
    while (cases and seed < cases) or (not cases and time.monotonic() < ends_at):
        for subject in subjects:
            yield subject, seed
        seed += 1


if __name__ == "__main__":
    sys.exit(main())
