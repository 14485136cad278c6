"""Questions of a session to its target, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from inspector.attach.control import ControlConnection
from inspector.errors import ControlError, TargetBusyError
from inspector.session.answers import require_ok
from inspector.session.searching import SEARCH_SECS, Search
from inspector.vocabulary import operation_named
from inspector.wire.messages import Answer
from inspector.wire.schema import LAYOUT_VERSION

COMMAND_SECS: Final = 10.0
"""How long a command may take before it is given up."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks one process. Any thread may ask; a question blocks its thread."""

    socket_path: Path
    pid: int
    is_over: Callable[[], bool]
    """True: the session has ended, and an open question is given up."""

    def ask(self, op: str, **fields: Any) -> Answer:
        """The answer to a short operation. Raises ``ControlError``."""
        with self._greeted(armed=operation_named(op).changes) as connection:
            return connection.ask(op, wait_secs=COMMAND_SECS, is_given_up=self.is_over, **fields)

    def do(self, op: str, **fields: Any) -> None:
        """Let the target do it. Raises ``ControlError`` when the target refuses."""
        require_ok(self.ask(op, **fields))

    def search(self, op: str, handle: int, search: Search, **fields: Any) -> Answer:
        """The answer to a long operation, unless ``search`` or the session ends before it."""

        def is_given_up() -> bool:
            return self.is_over() or search.is_given_up

        with self._greeted() as connection:
            try:
                return connection.ask(
                    op,
                    wait_secs=SEARCH_SECS,
                    is_given_up=is_given_up,
                    on_progress=search.hear,
                    handle=handle,
                    **fields,
                )
            except TargetBusyError:
                if search.is_given_up:
                    raise ControlError("the search was given up") from None
                raise

    @contextmanager
    def _greeted(self, *, armed: bool = False) -> Iterator[ControlConnection]:
        """A connection for one question. Only an ``armed`` connection may change the target."""
        with ControlConnection(self.socket_path, pid=self.pid) as connection:
            hello: dict[str, Any] = {
                "layout": LAYOUT_VERSION,
                "role": "command",
                "level": None,
                "armed": armed,
            }
            require_ok(
                connection.ask("hello", wait_secs=COMMAND_SECS, is_given_up=self.is_over, **hello)
            )
            yield connection
