"""The window's way to processes, the demo and files. All methods may block; any thread."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, cast

import platformdirs

from inspector.attach.diagnosis import Method
from inspector.attach.discovery import FoundProcess, find_processes, find_target
from inspector.attach.process_place import ProcessPlace, family, place_of
from inspector.commands.support.agreeing import agree, declared_by_person, question_about
from inspector.commands.support.child import Child, demo_command
from inspector.commands.support.files import open_saved
from inspector.commands.support.opening import open_session, session_with
from inspector.commands.support.preparing import Consent, consent_sentences, diagnosis_of, prepare
from inspector.errors import AttachError
from inspector.model.redaction import Kept
from inspector.regular_files import read_regular
from inspector.session.protocol import Session
from inspector.session.redacted import RedactedSession
from inspector.ui.session.connector import ProcessRow, RecentFile
from inspector.vocabulary import Level

APP_NAME: Final = "arc-inspector"
MOST_RECENT: Final = 20
MAX_RECENT_BYTES: Final = 1 << 20
"""A larger list of recent files is taken for damaged."""


class LocalConnector:
    """Implements the window's ``Connector`` on this machine."""

    def __init__(
        self, state_folder: Path | None = None, picture_folder: Path | None = None
    ) -> None:
        """Recent files are remembered in ``state_folder``; default: the platform's places."""
        self._recent_path = (state_folder or platformdirs.user_state_path(APP_NAME)) / "recent.json"
        self._pictures = picture_folder or platformdirs.user_pictures_path() / APP_NAME
        self._lock = threading.Lock()

    def processes(self, is_given_up: Callable[[], bool] = lambda: False) -> Sequence[ProcessRow]:
        """Processes of this machine that could be looked at, attachable ones first."""
        question = question_about(declared_by_person())
        return tuple(_row(found, question) for found in find_processes(is_given_up))

    def relatives(self, pid: int) -> Sequence[ProcessRow]:
        """The processes of one program, in the order of their numbers."""
        rows = {row.pid: row for row in self.processes() if row.alive}
        members = family(pid, {row.pid: row.parent_pid for row in rows.values()})
        return tuple(rows[each] for each in sorted(members & rows.keys()))

    def agree_to_declarations(self) -> None:
        """The person agreed to ``ProcessRow.declares``."""
        agree(declared_by_person())

    def attach(self, pid: int) -> Session:
        """Attach to a running process, or open what is left of a dead one.

        Raises ``AttachError``.
        """
        return session_with(find_target(pid), level=Level.HISTORY, ask=None)

    def bring(self, pid: int) -> Session:
        """Bring an agent in and attach. Raises ``AttachError``."""
        method = diagnosis_of(pid).method
        prepared = prepare(pid, Consent(inject=method is not Method.REMOTE, nudge=True))
        return session_with(
            prepared.found, level=Level.HISTORY, ask=None, brought=prepared.injection is not None
        )

    def look(self, pid: int) -> Session:
        """Look at a process from outside. Raises ``AttachError``."""
        return open_session(pid, read_only=True)

    def start_demo(self) -> Session:
        """Start the sample target and attach to it. Ending the session ends the target."""
        child = Child(demo_command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            return session_with(
                child.wait_published(), level=Level.STACKS, on_end=child.end, ask=None
            )
        except AttachError:
            child.end()
            raise

    def open_file(self, path: Path) -> Session:
        """Open a screenshot or a segment. Raises ``FileFormatError`` or ``AttachError``."""
        return open_saved(path)

    def recent(self) -> Sequence[RecentFile]:
        """Newest first; files that are gone are left out."""
        return tuple(
            RecentFile(path, path.name, at) for path, at in self._remembered() if path.is_file()
        )

    def remember(self, path: Path) -> None:
        """A file was saved or opened: it belongs to the recent ones.

        A folder that cannot be written is no reason to stop.
        """
        with self._lock:
            kept = [
                (path.absolute(), time.time()),
                *(each for each in self._remembered() if each[0] != path.absolute()),
            ]
            text = json.dumps([[str(each), at] for each, at in kept[:MOST_RECENT]])
            try:
                self._recent_path.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(self._recent_path, text)
            except OSError:
                return

    def screenshot_folder(self) -> Path:
        """The folder of screenshots unless the person chooses another; it exists."""
        try:
            self._pictures.mkdir(parents=True, exist_ok=True)
        except OSError:
            return Path(tempfile.gettempdir())
        return self._pictures

    def _remembered(self) -> list[tuple[Path, float]]:
        """The entries of the file; a damaged file has none."""
        try:
            listed = json.loads(read_regular(self._recent_path, MAX_RECENT_BYTES))
            return [(Path(path), float(at)) for path, at in listed if "\0" not in path][
                :MOST_RECENT
            ]
        except (OSError, ValueError, TypeError, OverflowError, RecursionError):
            return []


class RedactedConnector(LocalConnector):
    """Sessions without private parts, for a window that nobody but a picture shows."""

    def __init__(self, state_folder: Path, kept: Kept) -> None:
        """``kept``: private parts that stay."""
        super().__init__(state_folder=state_folder)
        self._kept = kept
        self._opened: RedactedSession | None = None

    def attach(self, pid: int) -> Session:
        """As ``LocalConnector``, redacted."""
        return self._redacted(super().attach(pid))

    def look(self, pid: int) -> Session:
        """As ``LocalConnector``, redacted."""
        return self._redacted(super().look(pid))

    def open_file(self, path: Path) -> Session:
        """As ``LocalConnector``, redacted."""
        return self._redacted(super().open_file(path))

    def start_demo(self) -> Session:
        """As ``LocalConnector``, redacted."""
        return self._redacted(super().start_demo())

    def left_out(self) -> str:
        """The private parts that the newest session left out, in words; may be empty."""
        return self._opened.left_out() if self._opened is not None else ""

    def _redacted(self, session: Session) -> Session:
        self._opened = RedactedSession(session, self._kept)
        return cast("Session", self._opened)


def _write_whole(path: Path, text: str) -> None:
    """All or nothing."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    Path(name).replace(path)


def _row(found: FoundProcess, question: str) -> ProcessRow:
    place = place_of(found.pid) if found.alive else ProcessPlace()
    return ProcessRow(
        pid=found.pid,
        name=found.name,
        command=found.command,
        runtime=found.runtime,
        attachable=found.attachable,
        reason=found.reason,
        fix=found.fix,
        live_handles=found.live_handles,
        started_at=found.started_at,
        alive=found.alive,
        readable=found.readable,
        consent=consent_sentences(found),
        declares=question if found.alive else "",
        folder=place.folder,
        user=found.user,
        packages=place.packages,
        parent_pid=place.parent_pid,
    )
