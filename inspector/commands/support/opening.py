"""Opening sessions for commands, and waiting for a snapshot that is worth printing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from inspector.attach.discovery import FoundProcess, find_target
from inspector.commands.support.agreeing import Ask, configured
from inspector.commands.support.output import print_error
from inspector.commands.support.preparing import ask_on_terminal
from inspector.commands.support.steps import STEPS
from inspector.errors import AttachError, ControlError, InspectorError, NoNativeLibraryError
from inspector.model.findings.leads import Coverage
from inspector.model.snapshot import Snapshot, TargetState, Vitals
from inspector.session.live import LiveSession
from inspector.session.outside import OutsideSession, require_readable
from inspector.session.postmortem import postmortem_session
from inspector.session.protocol import Session
from inspector.vocabulary import Level
from inspector.wire import has_native_library

LONGEST_PID: Final = 10
"""Digits."""
SETTLE_SECS: Final = 2.5
"""How long to wait for counts to be sampled and for the interpreter to show that it lives."""

_LEAST_SECS: Final = 0.5
"""For a first snapshot, however long the target took to answer."""


def coverage_of(session: Session) -> Coverage:
    """The parts of the target that have no row.

    Nothing is known of other sessions, and of a target that does not answer.
    """
    try:
        return session.coverage().result(SETTLE_SECS)
    except (InspectorError, TimeoutError):
        return Coverage()


class Watch:
    """A ``SessionListener`` on which another thread waits."""

    def __init__(self, session: Session) -> None:
        """Look at ``session`` from now on, its newest snapshot included; ``leave`` ends that."""
        self._changed = threading.Condition()
        self._newest: Snapshot | None = None
        self.leave = session.subscribe(self)
        if session.latest is not None:
            self.on_snapshot(session.latest)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Pump thread."""
        with self._changed:
            if self._newest is None or snapshot.serial > self._newest.serial:
                self._newest = snapshot
            self._changed.notify_all()

    def on_vitals(self, vitals: Vitals) -> None:
        """Not used."""

    def wait(self, is_good: Callable[[Snapshot], bool], timeout_secs: float) -> Snapshot:
        """The first snapshot that is good, or the newest when none was in time.

        Raises ``AttachError`` when there was none at all.
        """
        deadline = time.monotonic() + timeout_secs
        with self._changed:
            while self._newest is None or not is_good(self._newest):
                left_secs = deadline - time.monotonic()
                if left_secs <= 0 or not self._changed.wait(left_secs):
                    break
            if self._newest is None:
                raise AttachError("the segment could not be read in time")
            return self._newest


Running = LiveSession | OutsideSession
"""Sessions with a process that runs: new snapshots come by themselves, and threads are waited for
after the end."""
ReadOnly = Annotated[
    bool,
    typer.Option(
        "--read-only",
        help=("Look from outside: nothing is loaded into the process, nothing in it is stopped."),
    ),
]
"""Of commands that work without an agent too: with what its memory tells."""


def is_pid(source: str) -> bool:
    """Whether a word of the command line is the number of a process and no file.

    No number is longer.
    """
    return source.isascii() and source.isdigit() and len(source) <= LONGEST_PID


def require_native() -> None:
    """Raise ``NoNativeLibraryError`` in the pure wheel, which reads no process."""
    if not has_native_library():
        raise NoNativeLibraryError


def open_session(pid: int, *, level: Level | None = None, read_only: bool = False) -> Session:
    """Attach to a process, or open what a dead one left; ``read_only``: look at it from outside.

    Raises ``AttachError``.
    """
    require_native()
    if read_only:
        require_readable(pid)
        return OutsideSession(pid)
    return session_with(find_target(pid), level=level)


def session_with(
    found: FoundProcess,
    *,
    level: Level | None,
    on_end: Callable[[], None] | None = None,
    ask: Ask | None = ask_on_terminal,
    brought: bool = False,
) -> Session:
    """A session with a process that was found. Raises ``AttachError``.

    ``ask`` is called when the person has declared something and has not agreed to it yet; ``None``:
    it is left out, and said so. ``brought``: this viewer brought the agent in, which leaves with
    it.
    """
    if found.segment is None:
        raise AttachError(f"{found.reason} (process {found.pid})")
    if not found.alive:
        return postmortem_session(found.segment)
    return LiveSession(
        found.segment, level=level, on_end=on_end, declared=configured(ask), brought=brought
    )


@contextmanager
def settled_session(
    pid: int, *, level: Level | None = None, read_only: bool = False
) -> Iterator[tuple[Session, Snapshot]]:
    """A session and its first snapshot with sampled counts; it is ended afterwards.

    Raises ``AttachError``.
    """
    require_native()
    began_at = time.time()
    STEPS.info("looking for process %d", pid)
    session = open_session(pid, level=level, read_only=read_only)
    STEPS.info("opened by %s", type(session).__name__)
    watch: Watch | None = None
    try:
        watch = Watch(session)
        say_notices(session)
        # rows of what was declared just now are in what is read and sampled from here on
        heard_at = time.time()
        left_secs = max(began_at + SETTLE_SECS - heard_at, _LEAST_SECS)
        STEPS.info("waiting for sampled counts, at most %.1f s", left_secs)
        first = watch.wait(lambda snapshot: _is_settled(snapshot, session, heard_at), left_secs)
        STEPS.info("read %d rows of %d types", len(first.handles), len(first.types))
        yield session, first
    finally:
        if watch is not None:
            watch.leave()
        session.end()
        if isinstance(session, Running):
            session.join()


@contextmanager
def open_live(pid: int) -> Iterator[tuple[Session, Snapshot]]:
    """A session with a process that can act, and its first snapshot; it is ended afterwards.

    Raises ``AttachError``, and ``ControlError`` when the process cannot be asked.
    """
    with settled_session(pid) as (session, snapshot):
        if not session.capabilities.act:
            raise ControlError(session.capabilities.reason)
        yield session, snapshot


def say_notices(session: Session) -> None:
    """Print what is not followed, once it is known or ``SETTLE_SECS`` are over.

    Handles of what the viewer declares are there then.
    """
    done, _ = wait([session.notices()], SETTLE_SECS)
    for future in done:
        if not future.cancelled() and future.exception() is None:
            for line in future.result():
                print_error(line)


def _is_settled(snapshot: Snapshot, session: Session, heard_at: float) -> bool:
    """Whether the target has sampled its counts since then and its interpreter has answered.

    It is also true when the interpreter will not answer.
    """
    if (
        snapshot.target.state is not TargetState.LIVE
        or not isinstance(session, LiveSession)
        or session.is_refused
    ):
        return True
    return (
        session.capabilities.act
        and session.has_answered
        and min(snapshot.sampled_at, snapshot.taken_at) >= heard_at
    )
