"""Parts of the system that not every system has, for code that opens files everywhere. Any thread.

The native library is built for Linux alone; the pure wheel reads recordings on others.
"""

from __future__ import annotations

import os
import signal
from typing import Final

CLOSE_ON_EXEC: Final[int] = getattr(os, "O_CLOEXEC", getattr(os, "O_NOINHERIT", 0))
NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
FOLDER: Final[int] = getattr(os, "O_DIRECTORY", 0)
NO_WAIT: Final[int] = getattr(os, "O_NONBLOCK", 0)
BYTES: Final[int] = getattr(os, "O_BINARY", 0)
"""Flags of ``os.open``; 0 where the system has no such flag."""


def known_signals(*names: str) -> tuple[signal.Signals, ...]:
    """The signals of these names that this system has."""
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


def user_name(uid: int) -> str:
    """The name of a user; empty: the system does not say."""
    try:
        import pwd  # not on every system

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return ""


def homes() -> list[tuple[str, str]]:
    """Name and home folder of each user that the system lists."""
    try:
        import pwd  # not on every system
    except ImportError:
        return []
    return [(each.pw_name, each.pw_dir) for each in pwd.getpwall()]


def give_to_owner(descriptor: int, mode: int) -> None:
    """Set the permissions of an open file where the system has them."""
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)
