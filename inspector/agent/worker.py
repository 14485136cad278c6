"""The agent's one Python thread: takes jobs from native code and answers them.

Native code holds the sockets.

It waits with the GIL released. No failure in it reaches the program: a failing job is answered with
one line, an adapter that fails while polled is reported once on stderr.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from inspector.agent.adapters.protocol import Adapter
from inspector.agent.jobs import Jobs, Steps
from inspector.wire import ffi, lib
from inspector.wire.hooks import hooks
from inspector.wire.messages import MAX_LINE_BYTES, Job, decode_job, encode_failure, encode_success

IDLE_MILLIS: Final = 1000
"""How often the worker looks around while no viewer is attached; 50 µs each time."""
PROGRESS_SECS: Final = 0.1
"""How often whoever waits for a long job hears how far it is."""
NOBODY: Final = -1
"""The number of a long job that nobody asked for."""
Tell = Callable[[Sequence[Exception]], None]


class LongJob:
    """A job that is done in slices, one a turn, so that the program runs in between."""

    __slots__ = ("number", "steps", "told_at")

    def __init__(self, steps: Steps, number: int = NOBODY) -> None:
        """``steps`` yields how far it is and returns the reply's fields.

        ``number`` is the job that waits for it.
        """
        self.steps = steps
        self.number = number
        self.told_at = 0.0


class Worker:
    """Runs jobs until native code says that the agent stopped."""

    def __init__(
        self, adapters: Sequence[Adapter], jobs: Jobs, detach: Callable[[Tell], None]
    ) -> None:
        """``detach`` stops the agent on the worker thread, and reports failures first."""
        self._adapters = adapters
        self._jobs = jobs
        self._detach = detach
        self._long_jobs: deque[LongJob] = deque()
        self._has_complained = False
        self._is_dismissed = False
        self._thread: Any = None

    def start(self) -> None:
        """Begin, with a scan for living proxies."""
        self._long_jobs.append(LongJob(self._scan_steps()))
        self._thread = hooks.start_thread(self._run)

    def dismiss(self) -> None:
        """End after the job in hand, also when another agent starts before that."""
        self._is_dismissed = True

    def join(self, patience_secs: float) -> None:
        """Wait for its end; from its own thread this returns at once."""
        hooks.join_thread(self._thread, patience_secs)

    def _run(self) -> None:
        """The loop."""
        buffer = ffi.new("uint8_t[]", MAX_LINE_BYTES)
        while not self._is_dismissed:
            length = lib.ai_control_next(
                buffer, MAX_LINE_BYTES, 0 if self._long_jobs else IDLE_MILLIS
            )
            if length < 0:
                return
            if length:
                self._take(bytes(ffi.buffer(buffer, length)))
            elif self._long_jobs:
                self._advance()
            else:
                self._poll()

    def _take(self, line: bytes) -> None:
        """Do one job and answer it."""
        job = decode_job(line)
        if job.op == "scan":
            self._long_jobs.append(LongJob(self._scan_steps(), job.number))
        elif job.op == "detach":
            self._go(job.number)
        elif self._jobs.is_long(job.op):
            self._begin(job)
        else:
            _reply(job.number, self._answer(job))

    def _begin(self, job: Job) -> None:
        """Line up a job that is done in slices."""
        try:
            self._long_jobs.append(LongJob(self._jobs.steps(job.op, job.fields), job.number))
        except Exception as error:  # any exception of an adapter becomes an answer
            _reply(job.number, encode_failure(f"{error}" or type(error).__name__))

    def _go(self, number: int) -> None:
        """Stop the agent, as a viewer asked.

        The answer comes when the hooks are removed, with the reasons of hooks that remain.
        """

        def tell(failures: Sequence[Exception]) -> None:
            reasons = [f"{failure}" or type(failure).__name__ for failure in failures]
            _reply(number, encode_success({"failures": reasons} if reasons else {}))

        try:
            self._detach(tell)
        except Exception as error:  # no viewer is left to answer
            self._complain(error)

    def _answer(self, job: Job) -> bytes:
        """The reply to a job, even after an exception in it."""
        try:
            return encode_success(self._jobs.run(job.op, job.fields))
        except Exception as error:  # any exception of an adapter becomes an answer
            return encode_failure(f"{error}" or type(error).__name__)

    def _advance(self) -> None:
        """One slice of the oldest long job."""
        job = self._long_jobs[0]
        try:
            so_far = next(job.steps)
            if not self._is_wanted(job, so_far):
                job.steps.close()
                self._end_long_job(job, encode_failure("given up half-way"))
        except StopIteration as done:
            self._end_long_job(job, encode_success(done.value))
        except Exception as error:  # any exception of an adapter becomes an answer
            self._complain(error)
            self._end_long_job(job, encode_failure(f"{error}" or type(error).__name__))

    def _is_wanted(self, job: LongJob, so_far: Mapping[str, Any]) -> bool:
        """Report a job's progress now and then; false when its viewer has given up."""
        if job.number == NOBODY:
            return True
        now = time.monotonic()
        told = b""
        if now - job.told_at >= PROGRESS_SECS:
            job.told_at = now
            told = encode_success(so_far)
        return bool(lib.ai_control_progress(job.number, told, len(told)))

    def _end_long_job(self, job: LongJob, reply: bytes) -> None:
        """Answer the viewer that waits for it."""
        self._long_jobs.popleft()
        if job.number != NOBODY:
            _reply(job.number, reply)

    def _scan_steps(self) -> Steps:
        """All adapters' scans in turn; yields the rows found so far."""
        rows = 0
        for adapter in self._adapters:
            found = 0
            for found in adapter.scan():
                yield {"rows": rows + found}
            rows += found
        return {"rows": rows}

    def _poll(self) -> None:
        """The work that is due now and then."""
        try:
            self._jobs.poll()
        except Exception as error:  # the worker outlives a failing adapter
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        """One line on stderr, once."""
        if not self._has_complained:
            self._has_complained = True
            print(f"arc-inspector: {type(error).__name__}: {error}", file=sys.stderr)


def _reply(number: int, reply: bytes) -> None:
    """Hand the reply of a job to native code."""
    lib.ai_control_reply(number, reply, len(reply))
