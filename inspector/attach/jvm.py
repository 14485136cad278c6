"""Has a Java virtual machine load the agent, over its own attach mechanism.

No ptrace: the virtual machine opens a socket when it gets SIGQUIT while a file of a certain name
lies in its folder for temporary files, and takes orders there from its own user.

May block; any thread.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import inspector
from inspector.attach import procfs
from inspector.errors import AttachError

REFUSAL: Final = "-XX:+DisableAttachMechanism"
_AGENT: Final = Path(inspector.__file__).with_name("_jvm.abi3.so")
_VERSION: Final = b"1"
_ORDER_WORDS: Final = 4
"""An order has so many words: its name and three arguments."""
PATIENCE_SECS: Final = 10.0
_PAUSE_SECS: Final = 0.02
_MOST_ANSWER_BYTES: Final = 64 << 10
_OPTIONS: Final = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
_LEVELS: Final = {"off": 0, "count": 1, "history": 2, "stacks": 3}


def trouble_of(pid: int) -> str:
    """Why it takes no agent, going on from the process's name; ``""``: it takes one."""
    if refuses(pid):
        return f"is a Java virtual machine that was started with {REFUSAL}"
    if not _is_its_own(pid, _place_of_socket(pid)) and not handles_quit(pid):
        return "is a Java virtual machine that takes no SIGQUIT yet: it is starting"
    return ""


def refuses(pid: int) -> bool:
    """Whether the virtual machine was started with its attach mechanism switched off."""
    environment = procfs.environment(pid)
    words = [environment.get(name, "") for name in _OPTIONS]
    return REFUSAL in procfs.arguments(pid, 1 << 16) or any(REFUSAL in each for each in words)


def handles_quit(pid: int) -> bool:
    """Whether the process has a handler for SIGQUIT, which would end it otherwise.

    It has none while it starts, and none with ``-Xrs``, which opens the socket at once.
    """
    caught = procfs.status(pid).get("SigCgt", "0")
    return bool(int(caught, 16) >> (signal.SIGQUIT - 1) & 1)


def load_agent(pid: int, *, level: str, leaves_after_secs: float) -> None:
    """Have the agent start in it.

    Raises ``AttachError``.
    """
    options = f"level={_LEVELS[level]}"
    if leaves_after_secs:
        options += f";leaves={int(leaves_after_secs * 1000)}"
    program = " ".join(procfs.arguments(pid, 1 << 12)).replace(";", " ")
    answer = _ordered(pid, "load", _visible(pid), "true", f"{options};program={program}")
    status, _, text = answer.partition("\n")
    if status.strip() != "0" or "return code: 0" not in text:
        said = " ".join(text.split()) or f"status {status.strip()}"
        raise AttachError(
            f"the Java virtual machine did not load the agent: {said} (process {pid})"
        )


def _visible(pid: int) -> str:
    """The path of the agent's library, which the process has to see as well."""
    seen = procfs.inside(pid, str(_AGENT))
    try:
        is_same = os.path.samestat(_AGENT.stat(), seen.stat())
    except OSError:
        is_same = False
    if not is_same:
        raise AttachError(
            f"the virtual machine does not see {_AGENT}: it has files of its own, so start the "
            f"inspector where they are (process {pid})"
        )
    return str(_AGENT)


def _ordered(pid: int, *words: str) -> str:
    """The answer to an order."""
    path = _socket_of(pid)
    order = [_VERSION, *(word.encode() for word in words)]
    order += [b""] * (1 + _ORDER_WORDS - len(order))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_SECS)
        try:
            connection.connect(str(path))
            connection.sendall(b"".join(word + b"\0" for word in order))
            return _read(connection).decode(errors="replace")
        except OSError as error:
            raise AttachError(
                f"the Java virtual machine does not answer: {error.strerror or error} "
                f"(process {pid})"
            ) from error


def _read(connection: socket.socket) -> bytes:
    """All of the answer, as far as it is not endless."""
    answer = b""
    while len(answer) < _MOST_ANSWER_BYTES:
        part = connection.recv(4096)
        if not part:
            break
        answer += part
    return answer


def _socket_of(pid: int) -> Path:
    """The socket, which is opened on demand."""
    path = _place_of_socket(pid)
    if _is_its_own(pid, path):
        return path
    trouble = trouble_of(pid)
    if trouble:
        raise AttachError(f"process {pid} {trouble}")
    with _wish(pid):
        _wait_for(pid, path)
    return path


def _place_of_socket(pid: int) -> Path:
    return procfs.inside(pid, f"/tmp/.java_pid{procfs.inner_pid(pid)}")  # noqa: S108 - its place


@contextmanager
def _wish(pid: int) -> Iterator[None]:
    """The file that makes SIGQUIT a wish to attach; without it, SIGQUIT prints stacks."""
    uid, gid = procfs.owner(pid) or (os.geteuid(), os.getegid())
    path = procfs.inside(pid, f"/tmp/.attach_pid{procfs.inner_pid(pid)}")  # noqa: S108 - the virtual machine's place
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        if uid != os.geteuid():
            os.chown(path, uid, gid, follow_symlinks=False)
    except OSError as error:
        raise AttachError(f"{path}: {error.strerror} (process {pid})") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _wait_for(pid: int, path: Path) -> None:
    """Ask, and wait until the socket is there. Raises ``AttachError``."""
    try:
        process = os.pidfd_open(pid)
    except OSError as error:
        raise AttachError(f"process {pid} has ended") from error
    try:
        signal.pidfd_send_signal(process, signal.SIGQUIT)
        for _ in range(int(PATIENCE_SECS / _PAUSE_SECS)):
            if _is_its_own(pid, path):
                return
            if select.select([process], [], [], _PAUSE_SECS)[0]:
                raise AttachError(f"process {pid} has ended")
    except OSError as error:
        raise AttachError(f"{error.strerror} (process {pid})") from error
    finally:
        os.close(process)
    raise AttachError(
        f"the Java virtual machine opened no socket within {PATIENCE_SECS:.0f} s (process {pid})"
    )


def _is_its_own(pid: int, path: Path) -> bool:
    """Whether a socket of the process's user lies there."""
    try:
        found = path.lstat()
    except OSError:
        return False
    owner = procfs.owner(pid)
    return stat.S_ISSOCK(found.st_mode) and owner is not None and found.st_uid == owner[0]
