"""Puts the agent's files where a target can read and execute them.

The place is in the target's file system, and the owner is the target's user.

The folder is new, of an unguessable name, for that user alone, and is removed when the agent has
arrived or was given up; the folder of a killed injector is removed by the next injector. No
symbolic link is followed on the way. Runs in the injector process, which may change its effective
user; one thread.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from inspector.attach import procfs
from inspector.attach.agent_files import AgentFiles
from inspector.errors import AttachError
from inspector.systems import CLOSE_ON_EXEC, FOLDER, NO_LINK

PLACES: Final = ("dev/shm", "tmp", "var/tmp")
PREFIX: Final = "arc-inspector-arrival-"
LEFT_SECS: Final = 60.0
"""An injector is through by then, and so is a target that takes its time to load what a killed one
brought."""
_DIRECTORY: Final = os.O_RDONLY | FOLDER | NO_LINK | CLOSE_ON_EXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK | CLOSE_ON_EXEC


@dataclass(frozen=True, slots=True)
class AgentFolder:
    """A folder with the agent's files."""

    inside: str
    """Its path as the target sees it."""
    parent: int
    """Descriptor of the directory in which it lies."""
    folder: int
    """Its own descriptor."""
    name: str
    owner: tuple[int, int]
    """User and group whose files these are."""

    def write(self, name: str, content: bytes) -> None:
        """Add a file. Raises ``OSError``."""
        with acting_as(*self.owner):
            _write_file(self.folder, name, content)

    def read(self, name: str) -> bytes | None:
        """A file that the target wrote into it, at most a mebibyte; ``None``: there is none."""
        try:
            file = os.open(
                name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self.folder
            )
        except OSError:
            return None
        try:
            return os.read(file, 1 << 20)
        finally:
            os.close(file)


@contextlib.contextmanager
def agent_folder_in(pid: int, files: AgentFiles) -> Iterator[AgentFolder]:
    """A folder for the agent in a process, removed afterwards.

    Raises ``AttachError`` when there is no room, naming each place's reason.
    """
    identity = procfs.owner(pid)
    if identity is None:
        raise AttachError(f"process {pid} does not exist")
    try:
        root = os.open(procfs.inside(pid), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise AttachError(f"{error.strerror}: the files of process {pid}") from error
    try:
        with acting_as(*identity):
            made = _first_that_takes(pid, root, files, identity)
        try:
            yield made
        finally:
            with acting_as(*identity):
                _remove(made)
    finally:
        os.close(root)


@contextlib.contextmanager
def acting_as(uid: int, gid: int) -> Iterator[None]:
    """Be that user, where we are root; else nothing changes.

    Files of ours can then do nothing that the user could not.
    """
    if os.geteuid() != 0 or uid == 0:
        yield
        return
    groups, own_gid = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(own_gid)
        os.setgroups(groups)


def places_for(pid: int) -> Iterator[tuple[str, str]]:
    """Possible places for files, and the objection to each, or ``""``."""
    mounted = sorted(procfs.mount_options(pid), key=lambda each: len(each[0]))
    for place in PLACES:
        options = frozenset[str]()
        for point, found in mounted:
            if f"/{place}/".startswith(point.rstrip("/") + "/"):
                options = found
        barred = next((word for word in ("noexec", "ro") if word in options), "")
        yield place, f"is mounted {barred}" if barred else ""


def _first_that_takes(
    pid: int, root: int, files: AgentFiles, owner: tuple[int, int]
) -> AgentFolder:
    refusals = []
    for place, barred in places_for(pid):
        if not barred:
            try:
                return _write(root, place, files, owner)
            except OSError as error:
                barred = error.strerror or str(error)
        refusals.append(f"/{place} {barred}")
    raise AttachError(
        f"there is no room for the agent's files ({files.size_bytes >> 20} MiB) in "
        f"the target: {'; '.join(refusals)}"
    )


def _write(root: int, place: str, files: AgentFiles, owner: tuple[int, int]) -> AgentFolder:
    parent = _open_beneath(root, place)
    _sweep(parent, owner)
    try:
        name = PREFIX + secrets.token_hex(8)
        os.mkdir(name, 0o700, dir_fd=parent)
        folder = os.open(name, _DIRECTORY, dir_fd=parent)
        _lock(folder)  # for as long as we live: see _sweep
    except BaseException:
        os.close(parent)
        raise
    made = AgentFolder(f"/{place}/{name}", parent, folder, name, owner)
    try:
        for file, content in files.files.items():
            _write_file(folder, file, content)
    except BaseException:
        _remove(made)
        raise
    return made


def _open_beneath(root: int, place: str) -> int:
    """A directory below another, each step a directory and no symbolic link."""
    found = os.dup(root)
    for part in place.split("/"):
        try:
            below = os.open(part, _DIRECTORY, dir_fd=found)
        finally:
            os.close(found)
        found = below
    return found


def _write_file(folder: int, name: str, content: bytes) -> None:
    file = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
    finally:
        os.close(file)


def _sweep(parent: int, owner: tuple[int, int]) -> None:
    """Remove the folders of this user's killed injectors: not locked any more, and not new."""
    with contextlib.suppress(OSError):
        for name in os.listdir(parent):
            if name.startswith(PREFIX):
                with contextlib.suppress(OSError):
                    _sweep_one(parent, name, owner)


def _lock(folder: int, *, waits: bool = True) -> None:
    """Lock an open folder. Raises ``OSError`` where it is locked and we do not wait."""
    import fcntl  # not on every system; files are written for targets on Linux alone

    fcntl.flock(folder, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))


def _sweep_one(parent: int, name: str, owner: tuple[int, int]) -> None:
    folder = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        found = os.fstat(folder)
        if found.st_uid == owner[0] and time.time() - found.st_mtime > LEFT_SECS:
            _lock(folder, waits=False)
            _empty(folder)
            os.rmdir(name, dir_fd=parent)
    finally:
        os.close(folder)


def _empty(folder: int) -> None:
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _remove(made: AgentFolder) -> None:
    """Remove it with its content; a missing file is no error."""
    with contextlib.suppress(OSError):
        _empty(made.folder)
        os.rmdir(made.name, dir_fd=made.parent)
    os.close(made.folder)
    os.close(made.parent)
