"""A control socket as a target serves it, for tests of the viewer's side.

A thread of the test answers line by line.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Reply = Mapping[str, Any] | bytes | None
"""An answer's fields (``nonce`` is added), raw bytes, or nothing at all."""
HELLO: Mapping[str, Any] = {"ok": True, "level": 2, "viewers": 1}


class ControlServer:
    """Listens from ``__enter__`` to ``__exit__``.

    ``seen`` are the requests in the order of their arrival.
    """

    def __init__(self, path: Path, answer: Callable[[dict[str, Any]], Reply]) -> None:
        """``answer`` runs on the connection's thread."""
        self.seen: list[dict[str, Any]] = []
        self.hung_up = threading.Event()
        """Set each time a viewer hangs up."""
        self._answer = answer
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._listener.bind(str(self._path))
        self._listener.listen(8)
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up everywhere and listen no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(10)
        self._listener.close()
        for each in self._connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._path.unlink(missing_ok=True)
        for thread in self._threads[1:]:
            thread.join(10)

    def operations(self) -> list[str]:
        """The operations requested, in order."""
        return [each["op"] for each in self.seen]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as lines:
                for line in lines:
                    request = json.loads(line)
                    self.seen.append(request)
                    connection.sendall(_encoded(self._answer(request), request["nonce"]))
        except (OSError, ValueError):
            return
        finally:
            self.hung_up.set()


def _encoded(reply: Reply, nonce: int) -> bytes:
    if reply is None:
        return b""
    return (
        reply
        if isinstance(reply, bytes)
        else json.dumps({"nonce": nonce, **reply}).encode() + b"\n"
    )
