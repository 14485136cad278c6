"""One run of the agent, from ``start`` to ``stop``.

The native recorder is published, hooks are set, and the worker runs.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from inspector.agent.adapters.protocol import Adapter, Follower, Following, Leaving, Settling
from inspector.agent.boundary import Boundary, HasBoundary
from inspector.agent.gc_hook import GcHook
from inspector.agent.jobs import Jobs
from inspector.agent.plain import offers
from inspector.agent.thread_names import ThreadNames
from inspector.agent.worker import Worker
from inspector.vocabulary import Level
from inspector.wire import ffi, lib
from inspector.wire.status import check, new_error
from inspector.wire.text import text_struct

PATH_BYTES: Final = 4096
JOIN_SECS: Final = 2.0
"""How long ``stop`` waits for a worker that is in a job; it ends by itself after the job."""
EXIT_JOIN_SECS: Final = 0.02
"""How long the end of the program waits for the worker, which native code wakes; one that is in a
job is left to the interpreter."""

Leave = Callable[[Callable[[Sequence[Exception]], None]], None]
"""Stops the agent and forgets it; its argument is given the adapters' failures while there is a
socket to answer on."""


class Agent:
    """The agent of this process.

    ``start`` and ``stop`` are called once each; ``AgentSlot`` guards them with its lock.
    """

    def __init__(
        self, adapters: Sequence[Adapter], leave: Leave, *, exit_callback: object = None
    ) -> None:
        """With the hooks of these ecosystems.

        ``leave`` is called on the worker when a viewer asks the agent to leave; ``exit_callback``
        is the object that is registered with ``atexit`` on the agent's behalf.
        """
        self._adapters = tuple(adapters)
        self._leave = leave
        self._exit_callback = exit_callback
        self._attached: list[Adapter] = []
        self._gc_hook = GcHook()
        self._thread_names = ThreadNames()
        self._worker: Worker | None = None

    def start(
        self,
        level: Level,
        *,
        program: str = "",
        directory: str = "",
        leaves_after_secs: float | None = None,
    ) -> None:
        """Publish the segment, set the hooks, start the worker.

        Raises ``InspectorError``; then nothing is left behind.

        ``program`` is the command line that viewers show, by default the interpreter's own.
        """
        options, held = _options(level, program or " ".join(sys.orig_argv), directory)
        if leaves_after_secs is not None:
            options.is_brought, options.leaves_after_millis = 1, round(leaves_after_secs * 1000)
        error = new_error()
        check(lib.ai_start(options, error), error)
        del held
        try:
            for adapter in self._adapters:
                self._attached.append(adapter)
                adapter.attach()
            self._gc_hook.attach()
            self._thread_names.attach()
            self._start_worker()
        except BaseException:
            self.stop()
            raise

    def stop(self, tell: Callable[[Sequence[Exception]], None] | None = None) -> None:
        """Undo everything: hooks, native threads, socket and file.

        Handles continue to work. The worker ends; ``join`` waits for that.

        ``tell`` is given the adapters' failures while the socket is there still to answer on;
        without it the first is raised.
        """
        self._gc_hook.detach()
        self._thread_names.detach()
        failures = self._detach_adapters()
        if tell is not None:
            tell(failures)
        error = new_error()
        if self._worker is not None:
            self._worker.dismiss()
        status = lib.ai_stop(error)
        check(status, error)
        if failures and tell is None:
            raise failures[0]

    def join(self) -> None:
        """Wait for the worker after ``stop``.

        Without the slot's lock, which the worker may be waiting for.
        """
        if self._worker is not None:
            self._worker.join(JOIN_SECS)

    def settle(self) -> None:
        """Let the adapters repeat looks that they need twice before they report.

        Any thread; a failure is ignored.
        """
        for adapter in self._attached:
            if offers(adapter, Settling):
                with contextlib.suppress(Exception):
                    adapter.settle()

    def exit(self) -> None:
        """The process ends: say so in the segment.

        Hooks stay, ``__del__`` still runs through them.
        """
        self._gc_hook.detach()
        if self._worker is not None:
            self._worker.dismiss()
        lib.ai_exit()
        if self._worker is not None:
            self._worker.join(EXIT_JOIN_SECS)
        for adapter in self._attached:
            if offers(adapter, Leaving):
                adapter.leave()

    def following(self) -> Following:
        """The classes that all adapters follow, and the refused classes. Any thread."""
        states = [adapter.following() for adapter in self._adapters if offers(adapter, Follower)]
        return Following(
            *(tuple(text for state in states for text in state[part]) for part in range(3))
        )

    def boundaries(self) -> tuple[Boundary, ...]:
        """Boundaries of the adapters that have one."""
        return tuple(each.boundary for each in self._attached if offers(each, HasBoundary))

    def start_in_child(self) -> None:
        """This process is a fork: native code has made its own table.

        Publish it, and start the worker that fork left behind.
        """
        error = new_error()
        check(lib.ai_fork_child_start(error), error)
        self._start_worker()

    def _start_worker(self) -> None:
        """A worker thread for this process."""
        jobs = Jobs(
            self._adapters, self._gc_hook, self._thread_names, exit_callback=self._exit_callback
        )
        self._worker = Worker(self._adapters, jobs, detach=self._leave)
        self._worker.start()

    def _detach_adapters(self) -> list[Exception]:
        """Detach in reverse; a failing adapter does not keep the other adapters from it."""
        failures = []
        while self._attached:
            try:
                self._attached.pop().detach()
            except Exception as error:  # all adapters must be asked
                failures.append(error)
        return failures


def _options(level: Level, program: str, directory: str) -> tuple[Any, list[Any]]:
    """``AiOptions``, and the objects that must be held while it is used."""
    options, held = ffi.new("AiOptions *"), []
    options.level = options.idle_level = level
    texts = {"program": program, "runtime": runtime_text(), "directory": directory}
    for name, text in texts.items():
        native, keeper = text_struct(text)
        setattr(options, name, native)
        held.append(keeper)
    return options, held


def runtime_text() -> str:
    """``CPython 3.11.7``."""
    names = {"cpython": "CPython", "pypy": "PyPy"}
    version = sys.version_info
    name = names.get(sys.implementation.name, sys.implementation.name)
    return f"{name} {version.major}.{version.minor}.{version.micro}"


def segment_path() -> str:
    """Path of this process's segment; ``""`` while the agent does not run."""
    buffer = ffi.new("uint8_t[]", PATH_BYTES)
    length = lib.ai_segment_path(buffer, PATH_BYTES)
    return bytes(ffi.buffer(buffer, length)).decode(errors="surrogateescape")
