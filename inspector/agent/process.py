"""The agent of this process, and the place where it is kept.

There is one segment a process, so there is at most one agent.

``start`` and ``stop`` may be called from any thread.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final

from inspector.agent.adapters.catalog import make_adapters
from inspector.agent.adapters.protocol import Adapter, Following
from inspector.agent.agent import Agent, segment_path
from inspector.agent.boundary import Boundary
from inspector.errors import UsageError
from inspector.vocabulary import Level
from inspector.wire import lib
from inspector.wire.environment import EXIT_REPORT_JSON_VARIABLE, EXIT_REPORT_VARIABLE
from inspector.wire.text import text_argument

STARTER: Final = "ai-start"
"""The name of the thread that a viewer had start the agent. The thread ended with the start."""


class AgentSlot:
    """Holds the running agent, guarded; follows the process through fork and to its end."""

    def __init__(self) -> None:
        """Empty. Nothing of the process is touched before the first ``start``."""
        self._lock = threading.RLock()
        self._agent: Agent | None = None
        self._follows_process = False
        self.exit_callback = self.exit
        """The very object that is registered with ``atexit``: among all callbacks, that object
        that is known."""

    def start(
        self,
        level: Level,
        *,
        adapters: Sequence[Adapter] | None,
        program: str,
        directory: str,
        leaves_after_secs: float | None = None,
    ) -> str:
        """Start the agent, or give a running one another level.

        A program that starts one keeps that which was brought.

        Returns the segment's path.
        """
        with self._lock:
            if self._agent is not None:
                lib.ai_set_level(level)
                if leaves_after_secs is None:
                    lib.ai_keep()
                return segment_path()
            if segment_path():
                raise UsageError("the agent runs in another interpreter of this process")
            chosen = make_adapters() if adapters is None else adapters
            agent = Agent(chosen, self.stop, exit_callback=self.exit_callback)
            # first: a start that fails leaves a segment, hidden, which is removed with the process
            self._follow_process()
            agent.start(
                level, program=program, directory=directory, leaves_after_secs=leaves_after_secs
            )
            self._agent = agent
            return segment_path()

    def stop(self, tell: Callable[[Sequence[Exception]], None] | None = None) -> None:
        """Stop the agent; ``tell`` as for ``Agent.stop``. Without one it does nothing."""
        agent = None
        try:
            with self._lock:
                agent, self._agent = self._agent, None
                if agent is not None:
                    agent.stop(tell)
        finally:
            if agent is not None:
                agent.join()

    def exit(self) -> None:
        """The interpreter is about to end."""
        with self._lock:
            agent, self._agent = self._agent, None
            if agent is not None:
                _report_exit(agent)
                agent.exit()
            else:
                lib.ai_exit()  # a stopped agent keeps its file, hidden, for the next start

    def boundaries(self) -> tuple[Boundary, ...]:
        """Boundaries of the running agent; empty without an agent."""
        with self._lock:
            return () if self._agent is None else self._agent.boundaries()

    def following(self) -> Following:
        """The classes that the agent follows; none without an agent."""
        agent = self._agent
        return Following() if agent is None else agent.following()

    @property
    def is_running(self) -> bool:
        """Whether an agent runs in this process."""
        return self._agent is not None

    def _follow_process(self) -> None:
        """Watch fork and the end.

        Neither can be undone without a trace, so it is set once and does nothing without an agent.
        """
        if not self._follows_process:
            atexit.register(self.exit_callback)
            os.register_at_fork(after_in_child=self._after_fork)
            self._follows_process = True

    def _after_fork(self) -> None:
        """In a forked child, before anything else of it runs, on its only thread."""
        self._lock = threading.RLock()  # another thread of the parent may have held it
        agent = self._agent
        if agent is None:
            return
        try:
            agent.start_in_child()
            self._follow_multiprocessing()
        except Exception as error:  # after any failure the child runs on; its streams are its own
            self._give_up(agent, f"{error}")

    def _give_up(self, agent: Agent, reason: str) -> None:
        """This child is not recorded: leave a note for viewers, and remove the parent's hooks."""
        self._agent = None
        with contextlib.suppress(Exception):
            agent.stop()
        lib.ai_say_unrecorded(*text_argument(reason))

    def _follow_multiprocessing(self) -> None:
        """Say good-bye when a child of ``multiprocessing`` ends.

        Such a child leaves by ``os._exit``, so its own way of ending is used.
        """
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            # The child clears its finalisers after this hook and before the functions registered
            # here.
            util.register_after_fork(
                self, lambda slot: util.Finalize(None, slot.exit, exitpriority=0)
            )


def _report_exit(agent: Agent) -> None:
    """Report the live objects, if the environment asks for that.

    Otherwise nothing is loaded for it.
    """
    if os.environ.keys() & {EXIT_REPORT_VARIABLE, EXIT_REPORT_JSON_VARIABLE}:
        from inspector.agent.exit_report import report_exit

        agent.settle()
        report_exit(segment_path(), os.environ)


PROCESS: Final = AgentSlot()
"""One a process, as the segment."""


def start(
    level: str = "count",
    *,
    adapters: Sequence[Adapter] | None = None,
    program: str = "",
    directory: str = "",
) -> str:
    """Start the agent of this process; returns the path of its segment.

    ``level`` (``off``, ``count``, ``history``, ``stacks``) is the recording level while no viewer
    asks for more. When the agent runs already, only the level changes. ``program`` is the command
    line to show instead of the interpreter's own, ``directory`` the place of the segment instead of
    the default. Takes a few milliseconds. Raises ``InspectorError`` when the segment cannot be
    published.
    """
    return PROCESS.start(
        parse_level(level), adapters=adapters, program=program, directory=directory
    )


def start_brought(level: str, leaves_after_secs: float) -> str:
    """Start the agent for a viewer that brought it in; returns the path of its segment.

    Raises ``InspectorError``.

    ``leaves_after_secs``: without a connection for so long it leaves by itself; 0: never.

    The calling thread was made for the start and ends after it.
    """
    segment = PROCESS.start(
        parse_level(level),
        adapters=None,
        program="",
        directory="",
        leaves_after_secs=leaves_after_secs,
    )
    lib.ai_thread_name(threading.get_native_id(), *text_argument(STARTER))
    return segment


def stop() -> None:
    """Stop the agent: no thread, hook or socket of it is left.

    No file is left, but for a hidden file while our own runtime needs it.

    Handles continue to work; ``start`` finds them again.
    """
    PROCESS.stop()


def is_running() -> bool:
    """Whether the agent runs."""
    return PROCESS.is_running


def following() -> Following:
    """Classes that this process's agent follows, and classes that it cannot follow.

    Classes of our own runtime are left out.

    Any thread.
    """
    return PROCESS.following()


def boundaries() -> tuple[Boundary, ...]:
    """Boundaries that this process's agent knows; empty without an agent."""
    return PROCESS.boundaries()


def exit_callback() -> object:
    """The agent's own function among the exit callbacks."""
    return PROCESS.exit_callback


def set_level(level: str) -> None:
    """Sets the recording level from now on."""
    lib.ai_set_level(parse_level(level))


def parse_level(text: str) -> Level:
    """A level by its name. Raises ``UsageError``."""
    try:
        return Level[text.upper()]
    except KeyError:
        names = ", ".join(level.name.lower() for level in Level)
        raise UsageError(f"{text!r} is no level: {names}") from None
