"""Processes of other users, with fewer rights than ours. Root only.

They get a right that users do not have, to read any file (``CAP_DAC_READ_SEARCH``): the checkout
and its interpreter may lie in a folder closed to other users. It does not affect the rules for
tracing and reading processes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

import pytest

NOBODY: Final = 65534
STRANGER: Final = 65533
"""Has no name on any machine."""
OWN_PYTHON: Final = "/usr/bin/python3"
"""One that every user may run."""
_SETPRIV: Final = "/usr/bin/setpriv"


def as_user(uid: int) -> list[str]:
    """The beginning of a command that is run as that user."""
    read = "dac_read_search"
    rights = [
        f"--inh-caps=-all,+{read}",
        f"--ambient-caps=-all,+{read}",
        f"--bounding-set=-all,+{read}",
    ]
    return [_SETPRIV, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *rights]


def as_root_without(right: str) -> list[str]:
    """The beginning of a command that root runs without the right ``sys_ptrace``."""
    return [_SETPRIV, f"--inh-caps=-{right}", f"--bounding-set=-{right}"]


def need_root() -> None:
    """Skip the test, with the reason, where processes of other users cannot be had."""
    if os.geteuid() != 0:
        pytest.skip("only root can have processes of other users, and namespaces")
    done = (
        subprocess.run([*as_user(NOBODY), "/bin/true"], check=False, capture_output=True, text=True)
        if shutil.which("setpriv")
        else None
    )
    if done is None or done.returncode:
        pytest.skip(
            "setpriv cannot make processes of other users here: "
            f"{done.stderr.strip() if done else 'it is not installed'}"
        )


def need_own_python() -> str:
    """A Python that every user may run, or the test is skipped."""
    done = subprocess.run(
        [*as_user(NOBODY), OWN_PYTHON, "-I", "-S", "-c", ""], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"{OWN_PYTHON} does not run as another user")
    return OWN_PYTHON
