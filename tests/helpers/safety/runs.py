"""Runs one program of the safety set in one way, and keeps all that could be seen of it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from inspector.attach.diagnosis import Method as AttachMethod
from inspector.attach.discovery import find_target
from inspector.attach.inject import bring_agent
from inspector.commands.support.opening import session_with
from inspector.errors import AttachError
from inspector.vocabulary import Level
from tests.helpers.safety.programs import Program, Way
from tests.helpers.safety.seen import seen_from_outside
from tests.helpers.targets import ROOT, TARGETS
from tests.helpers.unprepared import detach, own_threads

PROGRAM_FOLDER: Final = TARGETS / "safety"
PATIENCE_SECS: Final = 60.0
"""A guard against hanging, no expectation about speed."""
STDIN: Final = b"first line\nsecond line\nthird line\n"
BUSY_TRIES: Final = 8
"""The injector answers *busy* when it found no thread in a harmless place; a person tries again."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The facts at one moment."""

    facts: Mapping[str, Any]
    has_agent: bool
    was_left: bool
    """The agent was there and has been detached, or it was refused after it had begun to come."""


@dataclass(slots=True)
class Run:
    """One run of one program, from its start to its end."""

    moments: dict[str, Moment] = field(default_factory=dict)
    status: int = 0
    out: bytes = b""
    err: bytes = b""
    result: bytes = b""
    """Of a program that has no streams of its own."""
    left_behind: list[str] = field(default_factory=list)
    refusal: str = ""
    """Why the agent did not come in, or was not found."""
    cpu_secs: list[float] = field(default_factory=list)
    """Of the whole process, for each of its fixed pieces of work."""


class RunFailedError(AssertionError):
    """The program was silent or ended too early."""


class _Course:
    """A run under way."""

    def __init__(self, program: Program, way: Way, folder: Path) -> None:
        self.run = Run()
        self._program, self._way, self._folder = program, way, folder
        self._session: Any = None
        self._has_agent = way is Way.PREPARED
        self._was_left = False
        self._unread = b""
        self._subjects: set[int] = set()

    def go(self) -> Run:
        """Start the program and follow it to its end."""
        with self._fifo("said") as said, self._fifo("go") as go, self._streams() as streams:
            process = subprocess.Popen(
                self._command(), env=self._environment(), cwd=self._folder, **streams
            )
            try:
                self._follow(process, said, go)
            finally:
                self._leave()
                process.kill()
                process.wait()
                for each in self._subjects:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(each, 9)
        self._keep(process.returncode)
        return self.run

    def _command(self) -> list[str]:
        file = str(PROGRAM_FOLDER / f"{self._program.name}.py")
        return [*self._program.prefix, sys.executable, *self._program.options, file]

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ARC_INSPECTOR", "PYTHON", "QT_", "PYTEST"))
        }
        site = self._folder / "site"
        for place in (site, self._folder / "runtime", self._folder / "tmp"):
            place.mkdir()
        if shutil.which("gcc"):
            with _BUILDING:
                (self._folder / "native.so").write_bytes(_built())
        # As an installed package has it; the checkout's environment reads the line from a folder of
        # its own.
        for name in ("inspector", "_arc_inspector.py"):
            (site / name).symlink_to(ROOT / name)
        (site / "arc_inspector.pth").write_bytes((ROOT / "arc_inspector.pth").read_bytes())
        (site / "sitecustomize.py").write_text(f"import site; site.addsitedir({str(site)!r})\n")
        places = {
            "PYTHONPATH": "site",
            "SAFETY_FOLDER": "",
            "TMPDIR": "tmp",
            "XDG_RUNTIME_DIR": "runtime",
        }
        own = {name: str(self._folder / place) for name, place in places.items()}
        return {**kept, **own, **({"ARC_INSPECTOR": "1"} if self._way is Way.PREPARED else {})}

    @contextlib.contextmanager
    def _fifo(self, name: str) -> Iterator[int]:
        """Open for both directions: neither side ever waits for the other to open it."""
        os.mkfifo(self._folder / name)
        descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _streams(self) -> Iterator[dict[str, Any]]:
        (self._folder / "in").write_bytes(STDIN)
        with contextlib.ExitStack() as stack:
            files = {"stdin": "in", "stdout": "out", "stderr": "err"}
            modes = {"stdin": "rb", "stdout": "ab", "stderr": "ab"}
            yield {
                stream: stack.enter_context((self._folder / name).open(modes[stream]))
                for stream, name in files.items()
            }

    def _follow(self, process: subprocess.Popen[bytes], said: int, go: int) -> None:
        """Look at each moment until the program and its helper process have ended."""
        ends = [os.pidfd_open(process.pid)]
        watched = {process.pid}
        try:
            while line := self._line(process, said, ends):
                arrived = json.loads(line)
                name, pid = arrived["moment"], arrived["pid"]
                if pid not in watched:
                    watched.add(pid)
                    ends.append(os.pidfd_open(pid))
                self._subjects = watched - {process.pid}
                self._at(name, pid)
                os.write(go, b"1")
                self._look(name, pid, json.loads(self._line(process, said, ends)))
                os.write(go, b"1")
        finally:
            for each in ends:
                os.close(each)

    def _line(self, process: subprocess.Popen[bytes], said: int, ends: list[int]) -> bytes:
        """The next moment; ``b""`` when all have ended."""
        deadline = time.monotonic() + PATIENCE_SECS
        with selectors.DefaultSelector() as selector:
            for each in (said, *ends):
                selector.register(each, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                ready = {key.fd for key, _ in selector.select(max(deadline - time.monotonic(), 0))}
                if not ready:
                    raise RunFailedError(
                        f"{self._program.name}, {self._way.value}: silent after "
                        f"{list(self.run.moments)}: {self._said()}"
                    )
                if said in ready:
                    self._unread += os.read(said, 65536)
                    continue
                for each in ready:
                    selector.unregister(each)
                if len(selector.get_map()) == 1 and not self._is_awaited(process):
                    return b""
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _is_awaited(self, process: subprocess.Popen[bytes]) -> bool:
        """A daemon runs on after the process that started it ended well."""
        return process.wait() == 0 and "after" not in self.run.moments

    def _said(self) -> str:
        return (self._folder / "err").read_text(errors="replace")[-2000:]

    def _at(self, name: str, pid: int) -> None:
        """The work that belongs to a moment, before the program is examined."""
        if name == "during" and self._way.has_agent:
            self._attach(pid)
        if name == "after":
            self._leave()
            if self._way is Way.INJECTED and self._has_agent:
                self._detach(pid)

    def _look(self, name: str, pid: int, told: Mapping[str, Any]) -> None:
        """All that can be seen at a moment."""
        self.run.cpu_secs = told["cpu_secs"]
        view = {f"view: {key}": value for key, value in told["view"].items()}
        facts = self._without_places({**seen_from_outside(pid), **view})
        self.run.moments[name] = Moment(facts, self._has_agent, self._was_left)

    def _attach(self, pid: int) -> None:
        """Bring the agent in, and have a viewer look at it until ``_leave``."""
        try:
            if self._way.is_injected:
                self._bring(pid)
            found = find_target(pid)
            if not found.alive:
                raise AttachError(found.reason)  # noqa: TRY301 - as one that cannot be found
            self._session = session_with(found, level=Level.HISTORY)
            self._has_agent = True
        except AttachError as error:
            self.run.refusal = str(error)
            self._has_agent, self._was_left = False, self._way.is_injected

    def _bring(self, pid: int) -> None:
        for left in reversed(range(BUSY_TRIES)):
            try:
                bring_agent(pid, AttachMethod.INJECT)
            except AttachError as error:
                if not left or not str(error).startswith("busy"):
                    raise
            else:
                return

    def _leave(self) -> None:
        if self._session is not None:
            self._session.end()
            self._session.join()
            self._session = None

    def _detach(self, pid: int) -> None:
        if own_threads(pid):
            detach(pid)
        self._has_agent, self._was_left = False, True

    def _without_places(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The folder of this run has another name in every run."""
        plain: dict[str, Any] = json.loads(json.dumps(facts).replace(str(self._folder), "FOLDER"))
        return plain

    def _keep(self, status: int) -> None:
        """The files left once the program has ended."""
        run, folder = self.run, self._folder
        place = str(folder).encode()
        run.status = status
        run.out, run.err = (
            (folder / name).read_bytes().replace(place, b"FOLDER") for name in ("out", "err")
        )
        with contextlib.suppress(FileNotFoundError):
            run.result = (folder / "result").read_bytes().replace(place, b"FOLDER")
        kept = {"said", "go", "in", "out", "err", "result", "site", "native.so"}
        paths = (
            path.relative_to(folder) for path in sorted(folder.rglob("*")) if not path.is_dir()
        )
        run.left_behind = [
            str(path) for path in paths if path.parts[0] not in kept and not _is_of_running(path)
        ]


def _is_of_running(path: Path) -> bool:
    """Whether a file of an agent belongs to a process that ends by itself once it sees that the
    program has, and has not yet."""
    number = re.match(r"\.?(\d+)-\d+\.", path.name)
    if not number:
        return False
    try:
        descriptor = os.pidfd_open(int(number[1]))
    except ProcessLookupError:
        return False
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        has_ended = bool(selector.select(PATIENCE_SECS))
    os.close(descriptor)
    return has_ended


_BUILDING: Final = threading.Lock()


@functools.cache
def _built() -> bytes:
    """The library of the programs' native pieces."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "native.so")
        compiler = shutil.which("gcc")
        assert compiler is not None
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", library, PROGRAM_FOLDER / "native.c"],
            check=True,
        )
        return library.read_bytes()


def run_program(program: Program, way: Way) -> Run:
    """Start the program in this way and follow it to its end.

    Raises ``RunFailedError`` when it stays silent.
    """
    shared = Path("/dev/shm")  # noqa: S108 the place itself is what is asked for
    with tempfile.TemporaryDirectory(
        prefix="arc-safety-", dir=shared if shared.is_dir() else None
    ) as folder:
        return _Course(program, way, Path(folder)).go()


__all__ = ["ROOT", "Moment", "Run", "RunFailedError", "run_program"]
