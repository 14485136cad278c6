"""Starts commands as children of a process that has imported them: most of a short command's time
is imports.

Each command is a process of its own, with its own standard streams, environment and folder. The
server is one process of one thread; it ends with the process that started it. Run as a program, the
module is the server.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from inspector import __main__ as command
from inspector import commands
from tests.helpers.targets import ROOT

REQUEST_BYTES = 1 << 20
LOADED_LATE = ("typer._adapters",)
"""Modules that commands load when they run."""


class CommandServer:
    """The server's client. Any thread may start a command."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Start the server; it has imported all commands when the first command starts."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                env={**environment, "OPENBLAS_NUM_THREADS": "1"},  # a fork copies one thread
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._requests = ours

    def start(
        self, words: Sequence[str], environment: Mapping[str, str], *, stdout: int, stderr: int
    ) -> socket.socket:
        """Start ``arc-inspector words…``; the socket answers with its pid, then with its status."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {"words": list(words), "env": dict(environment), "folder": os.getcwd()}  # noqa: PTH109
        with theirs:
            socket.send_fds(
                self._requests,
                [json.dumps(request).encode()],
                [stdout, stderr, theirs.fileno()],
            )
        return ours

    def close(self) -> None:
        """End the server."""
        self._requests.close()
        self._process.wait()


class _Server:
    """The process that starts commands. Its children are the commands."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ)
        self._running: dict[int, tuple[int, socket.socket]] = {}
        """Pid, and the socket of its client, by pidfd."""

    def next_command(self) -> dict[str, Any] | None:
        """Start what is asked for until the client has ended.

        Returns the request in each child that is to be its command, and None in the server.
        """
        while True:
            for key, _ in self._selector.select():
                if key.fd in self._running:
                    self._report(key.fd)
                    continue
                message, descriptors, _, _ = socket.recv_fds(self._requests, REQUEST_BYTES, 3)
                if not message:
                    return None
                request: dict[str, Any] = json.loads(message)
                if not self._start(*descriptors):
                    return request

    def _start(self, stdout: int, stderr: int, answers: int) -> int:
        """As ``os.fork``."""
        answered = socket.socket(fileno=answers)
        pid = os.fork()
        if not pid:
            answered.close()
            self._leave()
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
        os.close(stdout)
        os.close(stderr)
        if pid:
            answered.send(str(pid).encode())
            descriptor = os.pidfd_open(pid)
            self._running[descriptor] = pid, answered
            self._selector.register(descriptor, selectors.EVENT_READ)
        return pid

    def _report(self, descriptor: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)
        pid, answered = self._running.pop(descriptor)
        _, status = os.waitpid(pid, 0)
        with answered, suppress(BrokenPipeError):  # perhaps the client waits no longer
            answered.send(str(os.waitstatus_to_exitcode(status)).encode())

    def _leave(self) -> None:
        """In a child: close what is the server's."""
        self._selector.close()
        self._requests.close()
        for descriptor, (_, answered) in self._running.items():
            os.close(descriptor)
            answered.close()


def import_commands() -> None:
    """Import every command with what it loads."""
    for module in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
        importlib.import_module(module.name)
    for name in LOADED_LATE:
        importlib.import_module(name)


def main(descriptor: int) -> int:
    """Be the server, and in each child a command as ``python -m inspector`` would be."""
    import_commands()
    gc.collect()
    gc.freeze()
    request = _Server(socket.socket(fileno=descriptor)).next_command()
    if request is not None:
        _be_the_command(request)
    return 0


def _be_the_command(request: dict[str, Any]) -> NoReturn:
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.path[0] = request["folder"]
    sys.argv = ["inspector", *request["words"]]
    _end(command.main())


def _end(status: int) -> NoReturn:
    """End as an interpreter does, but keep the modules: they take longer to free than to use."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
