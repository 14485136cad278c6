"""Being a viewer: the connection that keeps a target's sampler awake.

A thread of its own connects, says hello and stays; when the connection breaks it tries again. While
the target is stopped its hello is simply not answered yet, which holds up no other work. Settings
that depend on the viewer (interval, level) are sent through it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from inspector.attach.control import ControlConnection
from inspector.errors import ControlError
from inspector.session.answers import require_ok
from inspector.wire.messages import Answer
from inspector.wire.schema import LAYOUT_VERSION

_LOOK_SECS: Final = 0.2
"""How often it looks whether the target hung up."""
_RETRY_SECS: Final = 0.5
_HELLO_SECS: Final = 86_400.0
"""A stopped target answers when it is continued."""
_ANSWER_SECS: Final = 3.0


@dataclass(slots=True)
class Wishes:
    """This viewer's settings for the target; sent again after each reconnection."""

    level: int | None
    """``None``: as it is."""
    interval_ms: int


@dataclass(frozen=True, slots=True)
class _Question:
    op: str
    fields: dict[str, Any]
    answer: Future[Answer] = field(default_factory=Future)


class ControlLink:
    """A registered viewer. All methods may be called from any thread and return at once."""

    def __init__(self, socket_path: Path, *, pid: int, wishes: Wishes) -> None:
        """Prepare; ``start`` begins."""
        self._socket_path = socket_path
        self._pid = pid
        self._wishes = wishes
        self._questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._registered = threading.Event()
        self._looking = threading.Event()
        self._refusal = ""
        self._failures = 0
        self._busy = ""
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    @property
    def is_registered(self) -> bool:
        """The target has answered our hello, and the connection is open as far as we know."""
        return self._registered.is_set()

    @property
    def refusal(self) -> str:
        """Why the target does not take us, one line.

        ``""`` while it does or was not reached yet.
        """
        return self._refusal

    @property
    def failures(self) -> int:
        """Attempts in a row that the target did not take."""
        return self._failures

    @property
    def busy(self) -> str:
        """The interpreter's work for a viewer at the last request: ``gc``, or ``""``."""
        return self._busy

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def end(self) -> None:
        """Hang up; does not wait."""
        self._ending.set()
        self._questions.put(None)

    def join(self, timeout_secs: float) -> None:
        """Wait for the thread's end after ``end``."""
        self._thread.join(timeout_secs)

    def ask(self, op: str, **fields: Any) -> Future[Answer]:
        """Ask on the viewer's own connection. Fails with ``ControlError`` when there is none."""
        question = _Question(op, fields)
        if self._ending.is_set() or not self._registered.is_set():
            question.answer.set_exception(
                ControlError(self._refusal or "the target is not connected")
            )
        else:
            self._questions.put(question)
        return question.answer

    def set_interval(self, interval_ms: int) -> None:
        """The sampler follows; nothing is reported back."""
        self._wishes.interval_ms = interval_ms
        self.ask("interval", interval_ms=interval_ms).add_done_callback(_forget)

    def set_level(self, level: int) -> Future[Answer]:
        """Switch the target's level, now and after reconnections."""
        self._wishes.level = level
        return self.ask("level", level=level)

    def look(self) -> None:
        """Ask the target about its interpreter's work; ``busy`` gives the answer later.

        Does nothing while a request is on its way.
        """
        if not self._looking.is_set():
            self._looking.set()
            self.ask("ping").add_done_callback(self._note_busy)

    def calm(self) -> None:
        """The interpreter answers again."""
        self._busy = ""

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with ControlConnection(self._socket_path, pid=self._pid) as connection:
                    self._hello(connection)
                    self._refusal, self._failures = "", 0
                    self._registered.set()
                    self._serve(connection)
            except ControlError as error:
                self._refusal = str(error)
                self._failures += 1
            finally:
                self._registered.clear()
                self._fail_questions()
            self._ending.wait(_RETRY_SECS)

    def _hello(self, connection: ControlConnection) -> None:
        answer = connection.ask(
            "hello",
            wait_secs=_HELLO_SECS,
            is_given_up=self._ending.is_set,
            layout=LAYOUT_VERSION,
            role="viewer",
            interval_ms=self._wishes.interval_ms,
            level=self._wishes.level,
        )
        require_ok(answer)

    def _serve(self, connection: ControlConnection) -> None:
        """Pass questions on until the end, or until the target hangs up."""
        while connection.is_open and not self._ending.is_set():
            try:
                question = self._questions.get(timeout=_LOOK_SECS)
            except queue.Empty:
                continue
            if question is not None:
                _settle(question.answer, partial(self._pass_on, connection, question))

    def _pass_on(self, connection: ControlConnection, question: _Question) -> Answer:
        return connection.ask(
            question.op, wait_secs=_ANSWER_SECS, is_given_up=self._ending.is_set, **question.fields
        )

    def _fail_questions(self) -> None:
        while True:
            try:
                question = self._questions.get_nowait()
            except queue.Empty:
                return
            if question is not None:
                question.answer.set_exception(ControlError("the target is not connected"))

    def _note_busy(self, answer: Future[Answer]) -> None:
        self._looking.clear()
        if answer.exception() is None:
            python = answer.result().fields.get("python")
            self._busy = str(python.get("busy") or "") if isinstance(python, dict) else ""


def _settle(future: Future[Answer], work: Callable[[], Answer]) -> None:
    """Run ``work`` and put its result or exception into ``future``."""
    try:
        future.set_result(work())
    except ControlError as error:
        future.set_exception(error)


def _forget(answer: Future[Answer]) -> None:
    """Retrieve the failure, so that it is not reported as unhandled."""
    answer.exception()
