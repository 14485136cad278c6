"""Linux facts for attaching: the places of segments, ``/proc``, and the peer of a socket.

The one Linux-specific module of the viewer. On other systems ``is_supported`` says no, and nothing
else here is called. Any thread.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inspector.attach import procfs
from inspector.errors import AttachError

DIRECTORY_PREFIX: Final = "arc-inspector-"
_CREDENTIALS: Final = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end of a Unix socket, as it began to listen."""

    pid: int
    uid: int


def is_supported() -> bool:
    """Whether processes can be attached on this system."""
    return sys.platform == "linux"


def require_support() -> None:
    """Raise ``AttachError``, naming the alternatives, where processes cannot be attached."""
    if not is_supported():
        raise AttachError(f"processes cannot be attached on {sys.platform}, only on Linux")


def is_root() -> bool:
    """Whether this process may look at other users' processes."""
    return os.geteuid() == 0


def segment_directories() -> list[Path]:
    """Directories of this user's segments, without doubles; for root, of all users' segments."""
    pattern = f"{DIRECTORY_PREFIX}*" if is_root() else f"{DIRECTORY_PREFIX}{os.geteuid()}"
    found: dict[Path, None] = {}
    for parent in _parents():
        found |= dict.fromkeys(
            sorted(
                each for each in parent.glob(pattern) if _names_user(each) and _is_directory(each)
            )
        )
    return list(found)


def _names_user(directory: Path) -> bool:
    """Whether a directory is named after a user's number, as directories of segments are.

    The tool's other directories are not.
    """
    return directory.name.removeprefix(DIRECTORY_PREFIX).isdecimal()


def segment_files() -> Iterator[Path]:
    """All files that look like a segment, by name."""
    for directory in segment_directories():
        try:
            yield from sorted(directory.glob("*.seg"))
        except OSError:  # it went meanwhile, or is another user's
            continue


def note_of(pid: int) -> str:
    """Why an agent of this living process publishes no segment, as it left word itself.

    ``""``: it left none.

    The note is a symbolic link that leads nowhere; its target is the text.
    """
    stat = procfs.process_stat(pid)
    if stat is None:
        return ""
    elsewhere = (
        each for parent in _parents_of(pid) for each in parent.glob(f"{DIRECTORY_PREFIX}*")
    )
    for directory in dict.fromkeys((*segment_directories(), *elsewhere)):
        try:
            text = os.readlink(directory / f"{procfs.inner_pid(pid)}-{stat.start_time}.note")  # noqa: PTH115 - the target is a text
        except OSError:
            continue
        return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return ""


def segment_files_of(pid: int) -> Iterator[Path]:
    """Segments of one process outside the inspector's directories.

    They are in a container, or under another ``XDG_RUNTIME_DIR``.
    """
    for parent in _parents_of(pid):
        try:
            yield from parent.glob(f"{DIRECTORY_PREFIX}*/{procfs.inner_pid(pid)}-*.seg")
        except OSError:
            continue


def segment_files_elsewhere() -> Iterator[Path]:
    """Segments of all processes that ``segment_files`` does not look for.

    They are in containers, and in runtime directories of their own.
    """
    usual = {str(each) for each in _parents()} | {""}
    for pid in procfs.processes():
        if pid == os.getpid() or (
            procfs.shares_files(pid) and procfs.environment(pid).get("XDG_RUNTIME_DIR", "") in usual
        ):
            continue
        yield from segment_files_of(pid)


def _parents_of(pid: int) -> Iterator[Path]:
    """Directories that may hold the segment directory of one process.

    The process's own environment and root name them.
    """
    root = Path("/") if procfs.shares_files(pid) else procfs.inside(pid)
    runtime = procfs.environment(pid).get("XDG_RUNTIME_DIR", "")
    owner = procfs.owner(pid)
    places = [runtime, f"/run/user/{owner[0] if owner else 0}", "/dev/shm", tempfile.gettempdir()]  # noqa: S108 - looked at, not written
    for place in dict.fromkeys(place for place in places if place.startswith("/")):
        parent = root / place.lstrip("/")
        with contextlib.suppress(OSError):
            if _is_directory(parent):
                yield parent


def pid_in(path: Path) -> int | None:
    """The process through whose root a path goes: in a container it knows itself by another number.

    ``None``: through none.
    """
    parts = path.parts
    return (
        int(parts[2])
        if len(parts) > 3 and parts[1] == "proc" and parts[2].isdecimal() and parts[3] == "root"
        else None
    )


def peer_of(connection: socket.socket) -> Peer:
    """The process that listens at the other end. Raises ``OSError``."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(raw)
    return Peer(pid, uid)


def _parents() -> list[Path]:
    """Directories that may hold segment directories, in the order in which targets try them."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    parents = [Path(runtime)] if runtime else []
    parents += (
        sorted(Path("/run/user").glob("*")) if is_root() else [Path(f"/run/user/{os.geteuid()}")]
    )
    parents += [Path("/dev/shm"), Path(tempfile.gettempdir())]  # noqa: S108 - looked at, not written
    return list(dict.fromkeys(parents))


def _is_directory(path: Path) -> bool:
    """A symbolic link is none: a user who can plant a link could point it anywhere."""
    return path.is_dir() and not path.is_symlink()
