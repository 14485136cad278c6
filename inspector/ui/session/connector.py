"""How the window gets at the world: a Protocol that the commands implement.

The window names no process table, socket or file format; it is given a connector. ``processes``,
``recent`` and the opening of sessions may block: they are called on a worker thread. ``remember``
and ``screenshot_folder`` are quick and called on any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from inspector.session.protocol import Session


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process on the start page."""

    pid: int
    name: str
    """Short: ``app.py``."""
    command: str
    runtime: str
    """``CPython 3.11.7``, or ``""``."""
    attachable: bool
    reason: str = ""
    """Why not, a sentence without a full stop; for an attachable one what is special, such as
    ``post-mortem``."""
    fix: str = ""
    """What a person can do about it, copyable: a command or one sentence."""
    live_handles: int = -1
    """``-1``: not known."""
    started_at: float = float("nan")
    """Seconds since the Unix epoch."""

    alive: bool = True
    """False: only its segment is left."""
    readable: bool = False
    """It runs no agent, and can be looked at from outside, read only."""
    consent: str = ""
    """It runs no agent, and one can be brought in: what that does, in sentences, to be agreed to.
    Empty: that cannot be."""

    declares: str = ""
    """The person has declared code that it would run, and has not agreed to that yet: what it is,
    in sentences."""

    folder: str = ""
    """Working directory; ``""``: not known."""
    user: str = ""
    """Whose it is; ``""``: not known."""
    packages: tuple[str, ...] = ()
    """Installed packages with native code in it."""
    parent_pid: int = 0
    """0: not known."""

    @property
    def gone(self) -> bool:
        """It has ended, and its last state can be opened."""
        return self.attachable and not self.alive


@dataclass(frozen=True, slots=True)
class RecentFile:
    """A screenshot or session file opened or saved before."""

    path: Path
    title: str
    saved_at: float
    """Seconds since the Unix epoch."""


class Connector(Protocol):
    """Finds targets and opens sessions. Errors are ``InspectorError`` with a one-line message."""

    def processes(self, is_given_up: Callable[[], bool] = ...) -> Sequence[ProcessRow]:
        """Processes of this machine that could be looked at, attachable processes first.

        The search ends early, with any answer, once ``is_given_up`` answers true.
        """

    def relatives(self, pid: int) -> Sequence[ProcessRow]:
        """The processes of one program: this one, its ancestors and their descendants."""

    def attach(self, pid: int) -> Session:
        """Attach to a running process, or open the remains of a dead process."""

    def bring(self, pid: int) -> Session:
        """Bring an agent into a running process that has none, and attach to it.

        The person has agreed to ``ProcessRow.consent``.
        """

    def agree_to_declarations(self) -> None:
        """The person has agreed to ``ProcessRow.declares``. Quick.

        From now on it is used, and not asked for again.
        """

    def look(self, pid: int) -> Session:
        """Look at a running process from outside: nothing is loaded into it.

        Takes as long as reading its memory.
        """

    def start_demo(self) -> Session:
        """Start the sample target and attach to it. Ending the session ends the target."""

    def open_file(self, path: Path) -> Session:
        """Open a screenshot, session file or segment."""

    def recent(self) -> Sequence[RecentFile]:
        """Newest first."""

    def remember(self, path: Path) -> None:
        """A file was saved or opened: it belongs to the recent files."""

    def screenshot_folder(self) -> Path:
        """Default folder of screenshots; exists."""
