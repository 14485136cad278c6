"""``python -m tests.mutate [WORD…]``: lists the faults that no named test notices.

``WORD``: only faults whose file or description has it. Exit status 0 when every fault was noticed,
1 else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from tests.helpers import scratch_tree
from tests.mutate.faults import ROOT, Fault, chosen, put_in, read_faults

SCRATCH = ROOT / "build" / "mutate"
LIMIT_SECS = 600
NOTICED, PASSED, NOT_RUN = "noticed", "survived", "not run"
_PYTEST_FAILED, _CARGO_FAILED = 1, 101


def main(words: Sequence[str]) -> int:
    """Try the chosen faults one after the other."""
    faults = chosen(read_faults(), words)
    scratch_tree.fill(SCRATCH)
    came_to = {fault.what: tried(fault) for fault in faults}
    bad = {what: outcome for what, outcome in came_to.items() if outcome != NOTICED}
    print(f"{len(faults) - len(bad)} of {len(faults)} faults were noticed")
    for what, outcome in bad.items():
        print(f"  {outcome}: {what}")
    return 1 if bad or not faults else 0


def tried(fault: Fault) -> str:
    """The outcome of a fault; the file is whole again afterwards."""
    file = SCRATCH / fault.file
    whole = file.read_text()
    file.write_text(put_in(fault, whole))
    try:
        outcomes = [outcome_of(words) for words in fault.commands(sys.executable)]
    finally:
        file.write_text(whole)
    found = NOTICED if NOTICED in outcomes else NOT_RUN if NOT_RUN in outcomes else PASSED
    print(f"{found}: {fault.what} ({fault.file})", flush=True)
    return found


def outcome_of(words: Sequence[str]) -> str:
    """Whether a command of tests failed because a test did. A hang is noticed, too."""
    is_cargo = words[0] == "cargo"
    more = {
        "QT_QPA_PLATFORM": "offscreen",
        "CARGO_TARGET_DIR": str(ROOT / "native" / "target" / "mutate"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    folder = SCRATCH / "native" if is_cargo else SCRATCH
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, **more},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECS,
        )
    except subprocess.TimeoutExpired:
        return NOTICED
    if done.returncode == 0:
        return (
            NOT_RUN
            if is_cargo and "0 passed" in done.stdout and " 1 passed" not in done.stdout
            else PASSED
        )
    has_failed = (
        done.returncode == (_CARGO_FAILED if is_cargo else _PYTEST_FAILED)
        and "could not compile" not in done.stderr
    )
    if not has_failed:
        print(done.stdout[-2000:], done.stderr[-2000:], sep="\n", file=sys.stderr)
    return NOTICED if has_failed else NOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
