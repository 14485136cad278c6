"""``record --ring``: the last minutes of a process, written when something happens. Main thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from types import FrameType
from typing import Final

from inspector.commands.support.opening import Running
from inspector.commands.support.output import print_error, say
from inspector.ending import EndedBySignalError, status_of
from inspector.errors import InspectorError, UsageError
from inspector.model.findings.finding import Facts, Finding
from inspector.model.findings.judge import all_rules, judge
from inspector.model.findings.trend import Trend
from inspector.model.redaction import Kept
from inspector.model.snapshot import FINAL_STATES, Snapshot, TargetState, Vitals
from inspector.model.wording import age, plural
from inspector.session.recorder import SessionRecorder
from inspector.session.ring import RingFile

JUDGE_SECS: Final = 1.0
WRITE_SIGNAL: Final = signal.SIGUSR1
SAVE_SECS: Final = 120.0
"""How long writing a file may take before the command goes on without it."""
BY_SIGNAL: Final = "asked for by a signal"
BY_PERSON: Final = "ended by Ctrl+C"
BY_DEATH: Final = "the process was killed or crashed"


def checked_rules(keys: Iterable[str]) -> frozenset[str]:
    """Keys of rules; without one all of them. Raises ``UsageError``."""
    known = [rule.key for rule in all_rules()]
    wrong = next((key for key in keys if key not in known), None)
    if wrong is not None:
        raise UsageError(f"the rules are {', '.join(known)}: {wrong}")
    return frozenset(keys) or frozenset(known)


class RingRecording:
    """Records into memory, judges, and writes a file for each new suspect."""

    def __init__(
        self, session: Running, output: Path, keep_secs: float, every_secs: float, kept: Kept
    ) -> None:
        """``output`` is the first file; further files have a number before the ending."""
        self._session, self._output = session, output
        self._keep_secs, self._every_secs, self._kept = keep_secs, every_secs, kept
        self._ring = RingFile(keep_secs)
        self._trend = Trend()
        self._written: set[str] = set()
        self._news = threading.Event()
        self._is_asked = False
        self._end = _End(self._news)
        self._files = 0

    def run(self, rules: frozenset[str], watch_secs: float | None) -> None:
        """Until the process ends, a signal comes, or ``watch_secs`` are over."""
        session = self._session
        session.set_interval(snapshot_secs=self._every_secs, vitals_secs=0.05)
        recorder = SessionRecorder(
            session, self._output, every_secs=self._every_secs, kept=self._kept, sink=self._ring
        )
        leave = session.subscribe(self._end)
        timer = threading.Timer(watch_secs, self._end.stop) if watch_secs is not None else None
        try:
            if timer is not None:
                timer.start()
            with self._asked_by_signal():
                self._follow(recorder, rules)
        except EndedBySignalError as ended:
            if ended.exit_status != status_of(signal.SIGINT):
                raise
            self._write(recorder, BY_PERSON)
        finally:
            if timer is not None:
                timer.cancel()
            leave()
            recorder.stop()
        if not self._files:
            say("nothing was written: no rule found a suspect")

    def _follow(self, recorder: SessionRecorder, rules: frozenset[str]) -> None:
        while not self._end.reached:
            self._news.wait(JUDGE_SECS)
            self._news.clear()
            snapshot = self._session.latest
            if self._is_asked:
                self._is_asked = False
                self._write(recorder, BY_SIGNAL)
            for finding in self._suspects(snapshot, rules):
                self._write(recorder, finding.headline)
        latest = self._session.latest
        if latest is not None and latest.target.state is TargetState.POST_MORTEM:
            self._write(recorder, BY_DEATH)

    def _suspects(self, snapshot: Snapshot | None, rules: frozenset[str]) -> list[Finding]:
        """Suspects that no file was written for; each is told once."""
        if snapshot is None or not self._trend.observe(snapshot):
            return []
        found = [
            each
            for each in judge(Facts(snapshot, self._trend)).suspects()
            if each.rule in rules and each.key not in self._written
        ]
        self._written |= {each.key for each in found}
        # one file for all suspects of a moment
        return found[:1]

    def _write(self, recorder: SessionRecorder, why: str) -> None:
        """Write a file with a mark of the reason. A failure is one line, and recording goes on."""
        path = self._free_name()
        written = threading.Event()
        told: list[str | InspectorError] = []

        def save() -> None:
            try:
                snapshots = self._ring.save(path, left_out=recorder.recorded.left_out)
                told.append(plural(snapshots, "snapshot"))
            except FileExistsError:
                told.append(UsageError(f"the file is there already: {path}"))
            except InspectorError as error:
                told.append(error)
            finally:
                written.set()

        latest = self._session.latest
        if latest is not None:
            recorder.mark(latest.taken_at, why)
        recorder.then(save)
        if not written.wait(SAVE_SECS) or not told:
            print_error(f"the file could not be written in time: {path}")
        elif isinstance(told[0], InspectorError):
            print_error(str(told[0]))
        else:
            self._files += 1
            early = self._ring.left_early
            less = f"; {plural(early, 'snapshot')} left early, there was no room" if early else ""
            say(f"saved {told[0]} of {age(self._ring.covered_secs)} to {path}: {why}{less}")

    def _free_name(self) -> Path:
        """The output, or its first numbered name that is free."""
        numbered = (
            self._output.with_name(f"{self._output.stem}-{number}{self._output.suffix}")
            for number in count(2)
        )
        return next(path for path in chain([self._output], numbered) if not _is_there(path))

    @contextmanager
    def _asked_by_signal(self) -> Iterator[None]:
        """``SIGUSR1`` asks for a file."""

        def ask(_number: int, _frame: FrameType | None) -> None:
            self._is_asked = True
            self._news.set()

        before = signal.signal(WRITE_SIGNAL, ask)
        try:
            yield
        finally:
            signal.signal(WRITE_SIGNAL, before)


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


class _End:
    """Hears when there is nothing more to come; pump thread."""

    def __init__(self, news: threading.Event) -> None:
        self.reached = False
        self._news = news

    def stop(self) -> None:
        self.reached = True
        self._news.set()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.target.state in FINAL_STATES:
            self.stop()

    def on_vitals(self, vitals: Vitals) -> None:
        """Not used."""
