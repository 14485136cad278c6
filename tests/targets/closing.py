"""A target that closes descriptors which it did not open, as daemons do, and opens its own at
the same numbers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from forking import Program, run

from inspector import agent

OPEN = Path("/proc/self/fd")
HIGHEST = 1024
OPENED = 24
"""Files that a program opens where others were: more than an agent has descriptors."""


def numbers() -> list[int]:
    """Open descriptors beyond the three streams, without the descriptor of the listing."""
    found = [int(path.name) for path in OPEN.iterdir()]
    return sorted(number for number in found if number > 2 and is_open(number))


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def close_range() -> None:
    os.closerange(3, HIGHEST)


def close_backwards() -> None:
    for number in reversed(numbers()):
        os.close(number)


def put_another_over() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3, 64):
        if number != null:
            os.dup2(null, number)


WAYS = {"range": close_range, "backwards": close_backwards, "another": put_another_over}


class Closing(Program):
    OWN = (
        "descriptors",
        "close",
        "open_files",
        "changed_files",
        "server",
        "subprocess",
        "daemonise",
    )
    STEPS = Program.STEPS + OWN

    def __init__(self) -> None:
        super().__init__()
        self.files: list[tuple[int, int]] = []

    def descriptors(self) -> list[str]:
        """The open files, without the numbers that the system gives to pipes and sockets."""
        return sorted(
            str((OPEN / str(number)).readlink()).partition("[")[0] for number in numbers()
        )

    def close(self, way: str) -> None:
        self.files.clear()
        WAYS[way]()

    def open_files(self) -> None:
        for _ in range(OPENED):
            number, path = tempfile.mkstemp()
            Path(path).unlink()
            self.files.append((number, os.fstat(number).st_ino))

    def changed_files(self) -> list[str]:
        """Files of ours that were closed, replaced or written to."""
        return [said for number, inode in self.files if (said := changed(number, inode))]

    def server(self) -> int:
        """Answers each client with its own words; returns the port."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        threading.Thread(target=serve_clients, args=(listener,), daemon=True).start()
        return int(listener.getsockname()[1])

    def subprocess(self) -> int:
        return subprocess.run(
            [sys.executable, "-I", "-c", ""], close_fds=True, check=False
        ).returncode

    def daemonise(self) -> int:
        """Continues in a child with a new session and everything closed; its process id."""
        os.setsid()
        if os.fork():
            os._exit(0)
        close_range()
        return os.getpid()


def changed(number: int, inode: int) -> str:
    try:
        found = os.fstat(number)
    except OSError as error:
        return f"{number}: {error.strerror}"
    if found.st_ino != inode:
        return f"{number}: another file"
    return f"{number}: {found.st_size} bytes" if found.st_size else ""


def serve_clients(listener: socket.socket) -> None:
    while True:
        client, _ = listener.accept()
        with client:
            client.settimeout(60)
            while said := client.recv(100):
                client.sendall(said)


def main(level: str) -> None:
    if level != "none":
        agent.start(level)
    run(Closing())


if __name__ == "__main__":
    main(sys.argv[1])
