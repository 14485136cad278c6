"""The processes of this machine that can be looked at, and why the rest cannot.

A process that published a segment is attachable; Python processes without a segment are listed with
the remedy. Reads files and ``/proc`` only; asks no target anything. Any thread; takes a few
milliseconds, so not the GUI thread.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from inspector.attach import linux, procfs
from inspector.attach.diagnosis import RUN_FIX, Diagnosis, Method, diagnose
from inspector.attach.probe import gather
from inspector.attach.processes import LONGEST_COMMAND, is_of_the_tool, is_python, short_name
from inspector.attach.segment import Segment
from inspector.errors import AttachError, SegmentError
from inspector.plain_text import printable
from inspector.systems import user_name
from inspector.wire.schema import Ending
from inspector.wire.text import padded_text

_SEGMENT_NAME: Final = re.compile(r"(\d{1,10})-(\d{1,20})\.seg")
UNKNOWN_COUNT: Final = -1
_MOST_ANCESTORS: Final = 64


@dataclass(frozen=True, slots=True)
class FoundProcess:
    """A process that could be looked at."""

    pid: int
    start_time: int
    """Clock ticks since boot; 0: not known."""
    name: str
    """Short: ``app.py``."""
    command: str
    runtime: str
    """``CPython 3.11.7``, or ``""``."""
    user: str
    """Whose it is, or ``""``."""
    started_at: float
    """Seconds since the Unix epoch."""
    segment: Path | None
    alive: bool
    """False: only its segment is left."""
    attachable: bool
    reason: str = ""
    """Why not, a sentence without a full stop; for an attachable one what is special."""
    fix: str = ""
    """The act that helps a person."""
    live_handles: int = UNKNOWN_COUNT
    method: Method | None = None
    """How it is attached; for one without an agent, how that could be brought in. ``None``: not at
    all."""
    readable: bool = False
    """It runs no agent, and can be looked at from outside."""


def socket_path(segment: Path) -> Path:
    """The control socket that belongs to a segment."""
    return segment.with_suffix(".sock")


def find_processes(is_given_up: Callable[[], bool] = lambda: False) -> Sequence[FoundProcess]:
    """All candidates, newest first within each group; none once ``is_given_up`` answers true.

    The groups: attachable processes, unattachable processes, remains of dead processes.
    """
    if not linux.is_supported():
        return ()
    with_segment = _newest_of_each(_from_segments())
    taken = {found.pid for found in with_segment if found.alive}
    others = []
    for process in _processes():
        if is_given_up():
            return ()
        if process.pid not in taken and (found := _elsewhere(process)):
            others.append(found)
    return sorted(
        [*with_segment, *others],
        key=lambda each: (not each.alive, not each.attachable, -each.started_at),
    )


def find_target(pid: int) -> FoundProcess:
    """The attachable process or dead process's segment of that pid.

    Raises ``AttachError``, cause first, with the remedy.
    """
    linux.require_support()
    candidates = [
        found
        for found in _newest_of_each(each for each in _from_segments() if each.pid == pid)
        if found.alive or not _has_heir(found)
    ]
    if not any(found.attachable for found in candidates):
        elsewhere = find_published(pid)
        if elsewhere is not None:
            return elsewhere
    best = next((found for found in candidates if found.attachable), None)
    if best is not None:
        return best
    raise AttachError(_refusal(pid, candidates))


def _has_heir(dead: FoundProcess) -> bool:
    """Whether another process has the number of a dead one now: that process is meant."""
    stat = procfs.process_stat(dead.pid)
    return stat is not None and stat.start_time != dead.start_time


def find_published(pid: int) -> FoundProcess | None:
    """The living process of that pid once its segment is published and readable.

    Quick, for waiting.
    """
    for path in linux.segment_files():
        matched = _SEGMENT_NAME.fullmatch(path.name)
        if matched and int(matched[1]) == pid:
            try:
                found = _from_segment(path, pid, int(matched[2]))
            except FileNotFoundError:
                continue
            if found.alive and found.attachable:
                return found
    return _published_elsewhere(pid)


def find_published_below(pid: int) -> FoundProcess | None:
    """As ``find_published``, or a process that it started, such as the program of a script."""
    found = find_published(pid)
    if found is not None:
        return found
    others = (each for each in _from_segments() if each.alive and each.attachable)
    return next((each for each in others if _is_below(each.pid, pid)), None)


def _is_below(pid: int, ancestor: int) -> bool:
    for _ in range(_MOST_ANCESTORS):
        pid = procfs.parent(pid)
        if pid == ancestor or pid <= 1:
            break
    return pid == ancestor


def _published_elsewhere(pid: int) -> FoundProcess | None:
    """Its segment in a container or another runtime directory.

    The lock shows that it is this process's.
    """
    for path in linux.segment_files_of(pid):
        matched = _SEGMENT_NAME.fullmatch(path.name)
        try:
            found = _from_segment(path, int(matched[1]), int(matched[2])) if matched else None
        except FileNotFoundError:
            continue
        if found is not None and found.pid == pid and found.alive and found.attachable:
            return found
    return None


def _refusal(pid: int, candidates: Sequence[FoundProcess]) -> str:
    """Why there is nothing to attach to."""
    if candidates:
        return f"{candidates[0].reason} (process {pid})"
    try:
        found = _without_segment(psutil.Process(pid), only_python=False)
    except (psutil.Error, ValueError, OverflowError):
        return f"process {pid} does not exist"
    if found is None:
        return f"process {pid} is the inspector itself"
    return f"process {pid} ({found.name}) {found.reason}; {found.fix}"


def _from_segments() -> Iterator[FoundProcess]:
    for path in linux.segment_files():
        matched = _SEGMENT_NAME.fullmatch(path.name)
        if matched:
            try:
                yield _from_segment(path, int(matched[1]), int(matched[2]))
            except FileNotFoundError:  # it ended meanwhile
                continue


def _from_segment(path: Path, pid: int, start_time: int) -> FoundProcess:
    written_at = path.stat().st_mtime
    try:
        with Segment(path) as segment:
            return _described(path, segment.header(), alive=segment.is_locked())
    except SegmentError as error:
        path.stat()  # it may have ended since
        reason = str(error).removesuffix(f": {path}")
        stat = procfs.process_stat(pid)
        alive = stat is not None and stat.start_time == start_time
        return FoundProcess(
            pid=pid,
            start_time=start_time,
            name=f"process {pid}",
            command="",
            runtime="",
            user="",
            started_at=written_at,
            segment=path,
            alive=alive,
            attachable=False,
            reason=reason,
            fix="install the same version of arc-inspector on both sides"
            if "version" in reason
            else "",
        )


def _described(path: Path, header: Any, *, alive: bool) -> FoundProcess:
    command = padded_text(header.program)
    return FoundProcess(
        pid=linux.pid_in(path) or header.pid,
        start_time=header.start_time,
        name=short_name(command) or f"process {header.pid}",
        command=command,
        runtime=padded_text(header.runtime),
        user=_user_name(header.uid),
        started_at=header.anchor_unix_nanos / 1e9,
        segment=path,
        alive=alive,
        attachable=True,
        reason="" if alive else _ending_words(header),
        live_handles=header.live_handles,
        method=Method.AGENT if alive else None,
    )


def _ending_words(header: Any) -> str:
    """How the program that wrote a segment ended.

    Its process may run another program now (``exec``).
    """
    if header.ending != Ending.NOT_YET:
        return "it ended, its last state is left"
    stat = procfs.process_stat(header.pid)
    if stat is not None and stat.start_time == header.start_time and stat.state not in "ZX":
        return (
            "post-mortem: the process runs another program now, the last state of the former "
            "program is left"
        )
    return "post-mortem: it was killed or crashed, its last state is left"


def _newest_of_each(found: Iterator[FoundProcess]) -> list[FoundProcess]:
    """One segment for each process: the live process's, else the newest."""
    best: dict[tuple[int, int], FoundProcess] = {}
    for each in sorted(found, key=lambda one: (one.alive, one.started_at)):
        best[each.pid, each.start_time] = each
    return sorted(best.values(), key=lambda one: (one.alive, one.started_at), reverse=True)


def _processes() -> Iterator[psutil.Process]:
    return psutil.process_iter(["name", "cmdline", "exe"])


def _elsewhere(process: psutil.Process) -> FoundProcess | None:
    """A process that published nothing where we look first."""
    found = _without_segment(process)
    if found is not None and not procfs.shares_files(process.pid):
        return _published_elsewhere(process.pid) or found
    return found


def _without_segment(process: psutil.Process, *, only_python: bool = True) -> FoundProcess | None:
    """A process without an agent; ``None`` for other languages, the inspector itself, zombies."""
    try:
        with process.oneshot():
            arguments, name, uid = process.cmdline(), process.name(), process.uids().effective
            started_at, state = process.create_time(), process.status()
    except psutil.Error:
        return None
    if process.pid == os.getpid() or is_of_the_tool(arguments):
        return None
    if only_python and (state == psutil.STATUS_ZOMBIE or not is_python(name, arguments)):
        return None
    command = printable(" ".join(arguments)[:LONGEST_COMMAND])
    diagnosis = diagnose(gather(process.pid, deeply=not only_python))
    return FoundProcess(
        pid=process.pid,
        start_time=0,
        name=printable(short_name(command) or name),
        command=command or printable(name),
        runtime=_runtime(diagnosis),
        user=_user_name(uid),
        started_at=started_at,
        segment=None,
        alive=True,
        attachable=False,
        reason=_reason(diagnosis, linux.note_of(process.pid)),
        fix=_fix(diagnosis),
        method=diagnosis.method,
        readable=diagnosis.is_readable,
    )


def _runtime(diagnosis: Diagnosis) -> str:
    version = diagnosis.facts.version
    return f"CPython {version[0]}.{version[1]}" if version else ""


def _reason(diagnosis: Diagnosis, note: str) -> str:
    """The reason why there is nothing to look at.

    It is a missing agent, or an obstacle to loading it.
    """
    first = diagnosis.first
    if first is not None and not diagnosis.is_possible:
        return first.text
    return f"runs no agent ({note})" if note else "runs no agent"


def _fix(diagnosis: Diagnosis) -> str:
    """The safest thing to do, as one command or sentence."""
    if diagnosis.method is not None:
        consent = " --inject" if diagnosis.method.needs_consent else ""
        return f"{RUN_FIX}; or load an agent: arc-inspector attach {diagnosis.facts.pid}{consent}"
    first = diagnosis.first
    fix = first.fixes[0] if first is not None and first.fixes else RUN_FIX
    return (
        (f"{fix}; or look from outside: arc-inspector attach {diagnosis.facts.pid} --read-only")
        if diagnosis.is_readable
        else fix
    )


def _user_name(uid: int) -> str:
    return user_name(uid) or str(uid)
