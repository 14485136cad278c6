"""One connection to a target's control socket.

Questions are asked one at a time, by one thread. A question that is given up ends the connection:
the target looks for that just before it acts, so an abandoned request does not run later. Every
byte from the other end is bounded and checked.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from inspector.attach.linux import peer_of
from inspector.errors import ControlError, TargetBusyError
from inspector.wire.messages import (
    MAX_LINE_BYTES,
    UNFINISHED,
    Answer,
    Request,
    decode_answer,
    encode_request,
)

_CHUNK_BYTES: Final = 65536
_TURN_SECS: Final = 0.1
"""How often a waiting thread looks whether it is to give up."""
_LATE_MILLIS: Final = 50
"""The target is told to give up this much before we do, so that its answer can still arrive."""


def never() -> bool:
    """Wait for the whole time allowed."""
    return False


def pass_over(answer: Answer) -> None:
    """Ignores the progress of a request."""


class ControlConnection:
    """A connected socket. Use it in ``with``, or call ``close``."""

    def __init__(self, path: Path, *, pid: int) -> None:
        """Connect and check the listening process: process ``pid``, of our user or root.

        Raises ``ControlError``.
        """
        self._path = path
        self._nonce = 0
        self._unread = bytearray()
        self._searched = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(os.fspath(path))
            self._check_peer(pid)
        except OSError as error:
            self.close()
            raise ControlError(
                f"the control socket cannot be reached: {error.strerror or error}: {path}"
            ) from error
        except ControlError:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self.close()

    def close(self) -> None:
        """Hang up; the target drops requests that it has not begun."""
        self._socket.close()

    @property
    def is_open(self) -> bool:
        """Whether the other end is still there, as far as the socket shows it."""
        if self._socket.fileno() < 0:
            return False
        try:
            return self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def ask(
        self,
        op: str,
        *,
        wait_secs: float,
        is_given_up: Callable[[], bool] = never,
        on_progress: Callable[[Answer], None] = pass_over,
        **fields: Any,
    ) -> Answer:
        """Ask one question and wait for its answer, which may be a refusal (``ok`` is false).

        ``on_progress`` gets the progress of a long question, on this thread.

        Raises ``TargetBusyError`` when the answer does not come in time or ``is_given_up`` says so,
        and ``ControlError`` when the connection broke or the bytes were no answer. In both cases
        the connection is closed.
        """
        self._nonce += 1
        deadline = time.monotonic() + wait_secs
        request = Request(self._nonce, op, max(int(wait_secs * 1000) - _LATE_MILLIS, 1), fields)
        try:
            self._send(encode_request(request), deadline, is_given_up)
            return self._answer(deadline, is_given_up, on_progress)
        except TargetBusyError:
            self.close()
            raise TargetBusyError(
                f"the target did not answer within {wait_secs:.1f} s; the {op} was "
                "given up and "
                "will not run later"
            ) from None
        except OSError as error:
            self.close()
            raise ControlError(f"the target hung up: {error.strerror or error}") from error
        except ControlError:
            self.close()
            raise

    def _check_peer(self, pid: int) -> None:
        peer = peer_of(self._socket)
        if peer.uid not in (os.geteuid(), 0) and os.geteuid() != 0:
            raise ControlError(
                f"the control socket belongs to user {peer.uid}, not to this user: {self._path}"
            )
        if peer.pid != pid:
            raise ControlError(
                f"process {peer.pid} listens on the control socket of process {pid}: {self._path}"
            )

    def _send(self, line: bytes, deadline: float, is_given_up: Callable[[], bool]) -> None:
        left = memoryview(line)
        while left:
            self._wait(deadline, is_given_up, for_writing=True)
            try:
                left = left[self._socket.send(left, socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                continue

    def _answer(
        self,
        deadline: float,
        is_given_up: Callable[[], bool],
        on_progress: Callable[[Answer], None],
    ) -> Answer:
        """The answer to the newest question; answers to abandoned questions are skipped."""
        while True:
            line = self._line()
            if line is None:
                self._wait(deadline, is_given_up, for_writing=False)
                self._receive()
                continue
            answer = decode_answer(line)
            if answer.nonce == self._nonce and answer.fields.get(UNFINISHED) is True:
                on_progress(answer)
            elif answer.nonce == self._nonce or (answer.nonce == 0 and not answer.ok):
                return answer

    def _line(self) -> bytes | None:
        end = self._unread.find(b"\n", self._searched)
        self._searched = len(self._unread) if end < 0 else 0
        if end < 0:
            if len(self._unread) > MAX_LINE_BYTES:
                raise ControlError(
                    f"the target sent a line of more than {MAX_LINE_BYTES >> 10} KiB"
                )
            return None
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return line

    def _receive(self) -> None:
        try:
            received = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        if not received:
            raise ControlError("the target hung up before it answered")
        self._unread += received

    def _wait(self, deadline: float, is_given_up: Callable[[], bool], *, for_writing: bool) -> None:
        """Return when the socket is ready; raise ``TargetBusyError`` when it is not in time."""
        poller = select.poll()
        poller.register(self._socket, select.POLLOUT if for_writing else select.POLLIN)
        while True:
            left_secs = deadline - time.monotonic()
            if left_secs <= 0 or is_given_up():
                raise TargetBusyError
            if poller.poll(min(left_secs, _TURN_SECS) * 1000):
                return
