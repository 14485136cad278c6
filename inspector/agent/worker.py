"""The agent's one Python thread: takes jobs from native code, which holds the sockets, and answers them.

It waits with the GIL released. Nothing that goes wrong in it reaches the program: a job that fails is answered with one
line, an adapter that fails while polled is reported once on stderr.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from inspector.agent.adapters.protocol import Adapter
from inspector.agent.jobs import Jobs
from inspector.wire import ffi, lib
from inspector.wire.messages import MAX_LINE_BYTES, Job, decode_job, encode_failure, encode_success

IDLE_MILLIS: Final = 1000
"""How often the worker looks around while no viewer is attached; 50 µs each time."""
THREAD_NAME: Final = "arc-inspector"


class Scan:
    """A scan on its way: all adapters one after the other, a slice a turn."""

    __slots__ = ("jobs", "rows", "steps")

    def __init__(self, steps: Iterator[int], jobs: Sequence[int] = ()) -> None:
        """``jobs`` are the numbers of those that wait for it, ``rows`` what it found so far."""
        self.steps = steps
        self.jobs = list(jobs)
        self.rows = 0


class Worker:
    """Runs jobs until native code says that the agent stopped."""

    def __init__(self, adapters: Sequence[Adapter], jobs: Jobs, detach: Callable[[], None]) -> None:
        """``detach`` stops the agent; it is called on the worker thread."""
        self._adapters = adapters
        self._jobs = jobs
        self._detach = detach
        self._scans: deque[Scan] = deque()
        self._has_complained = False
        self._is_dismissed = False
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)

    def start(self) -> None:
        """Begin, with a scan for what lives already."""
        self._scans.append(Scan(self._scan_steps()))
        self._thread.start()

    def dismiss(self) -> None:
        """End after the job in hand, also when another agent starts before that."""
        self._is_dismissed = True

    def join(self, patience_secs: float) -> None:
        """Wait for its end; from its own thread this returns at once."""
        if threading.current_thread() is not self._thread:
            self._thread.join(patience_secs)

    def _run(self) -> None:
        """The loop."""
        buffer = ffi.new("uint8_t[]", MAX_LINE_BYTES)
        while not self._is_dismissed:
            length = lib.ai_control_next(buffer, MAX_LINE_BYTES, 0 if self._scans else IDLE_MILLIS)
            if length < 0:
                return
            if length:
                self._take(bytes(ffi.buffer(buffer, length)))
            elif self._scans:
                self._advance()
            else:
                self._poll()

    def _take(self, line: bytes) -> None:
        """Do one job and answer it."""
        job = decode_job(line)
        if job.op == "scan":
            self._scans.append(Scan(self._scan_steps(), [job.number]))
        elif job.op == "detach":
            _reply(job.number, encode_success({}))
            self._go()
        else:
            _reply(job.number, self._answer(job))

    def _go(self) -> None:
        """Stop the agent, as a viewer asked."""
        try:
            self._detach()
        except Exception as error:  # there is nobody left to answer
            self._complain(error)

    def _answer(self, job: Job) -> bytes:
        """The reply to a job, whatever happens in it."""
        try:
            return encode_success(self._jobs.run(job.op, job.fields))
        except Exception as error:  # whatever an adapter raises is an answer
            return encode_failure(f"{error}" or type(error).__name__)

    def _advance(self) -> None:
        """One slice of the oldest scan."""
        scan = self._scans[0]
        try:
            scan.rows = next(scan.steps)
        except StopIteration:
            self._end_scan(encode_success({"rows": scan.rows}))
        except Exception as error:  # whatever an adapter raises is an answer
            self._complain(error)
            self._end_scan(encode_failure(f"{error}" or type(error).__name__))

    def _end_scan(self, reply: bytes) -> None:
        """Answer those who wait for the oldest scan."""
        for number in self._scans.popleft().jobs:
            _reply(number, reply)

    def _scan_steps(self) -> Iterator[int]:
        """All adapters' scans in turn; yields the rows found so far."""
        rows = 0
        for adapter in self._adapters:
            found = 0
            for found in adapter.scan():
                yield rows + found
            rows += found

    def _poll(self) -> None:
        """What is due now and then."""
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
