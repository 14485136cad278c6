"""``python -m tests.fuzz.libfuzzer SUBJECT FOLDER [OPTION …]``: a Python subject under libFuzzer.

A crash ends the process; libFuzzer writes the case to a file and says so.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["inspector"]):
    from tests.fuzz.subjects import SUBJECTS, try_case

from tests.fuzz.guided import GuidedRandom


def main() -> None:
    """Run until an option of libFuzzer ends it."""
    subject = sys.argv.pop(1)
    if subject not in SUBJECTS:
        sys.exit(f"there is no subject {subject!r}: {', '.join(SUBJECTS)}")
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        atheris.Setup(sys.argv, lambda case: _run(subject, case, folder))
        atheris.Fuzz()


def _run(subject: str, case: bytes, folder: Path) -> None:
    try_case(subject, GuidedRandom(case), folder)


if __name__ == "__main__":
    main()
