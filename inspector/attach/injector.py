"""The injector: a process of its own that loads the agent into a target.

A viewer may therefore die at any moment.

``python -P -m inspector.attach.injector`` reads one JSON object from stdin (the fields of
``Order``) and writes one to stdout. It is in a session of its own and ignores the signals that end
its caller; each of its waits is bounded, and a watchdog ends it in the end, at which the kernel
releases the traced thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass, replace
from typing import Final

from inspector.attach import procfs
from inspector.attach.agent_files import BEGUN, RESULT, SCRIPT, library_for, make_agent_files
from inspector.attach.agent_folder import AgentFolder, agent_folder_in
from inspector.attach.diagnosis import Method
from inspector.attach.injection import enter, nudge
from inspector.attach.interpreter import Interpreter, find_interpreter
from inspector.attach.remote_exec import OLDEST, remote_exec, withdraw
from inspector.attach.thread_waits import settled_wait
from inspector.errors import AttachError, InspectorError

HELLO_SECS: Final = 10.0
"""How long the agent may take to arrive once a thread of the target runs for it."""
COME_BY_SECS: Final = 0.5
"""How long the main thread of a target may take to come by, before something is done about it or
said."""
LAST_LOOK_SECS: Final = 0.1
"""It may have come by in the moment before the request was withdrawn."""
_LACKS: Final = "the program has no module "
"""As ``_arc_inspector`` says it of a module of the standard library."""
WATCHDOG_SECS: Final = 30.0
REMOTE_SCRIPT: Final = "remote.py"
FUTURE: Final = annotations.compiler_flag
"""Annotations are texts: compiled so without a statement."""
_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT)


@dataclass(frozen=True, slots=True)
class Order:
    """The injector's order."""

    pid: int
    method: str
    """A ``Method``."""
    level: str = "count"
    nudge: bool = False
    """Whether a main thread that waits may be woken with ``EINTR``."""
    leaves_after_secs: float = 0.0
    """Without a connection for so long the agent goes by itself; 0: never."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The injector's result."""

    ok: bool
    error: str = ""
    segment: str = ""
    """As the target sees it."""
    waits: str = ""
    """What the main thread did not come by for: it waits on this."""
    paused_secs: float = 0.0
    tries: int = 0
    interrupted: int = 0
    """Waits of the target that ended with ``EINTR`` for it."""


def main() -> None:
    """Carry out the order on stdin."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    # only root may; while a thread of the target is held, nothing else of ours may come between
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    watchdog = threading.Timer(WATCHDOG_SECS, os._exit, (3,))
    watchdog.daemon = True
    watchdog.start()
    order = Order(**json.load(sys.stdin))
    try:
        outcome = carry_out(order)
    except InspectorError as error:
        outcome = Outcome(False, str(error))
    with contextlib.suppress(OSError):  # the reader may have ended
        os.write(1, json.dumps(asdict(outcome)).encode())


def carry_out(order: Order) -> Outcome:
    """Bring the agent in. Raises ``AttachError``."""
    interpreter = find_interpreter(order.pid)
    if interpreter is None:
        raise AttachError(f"process {order.pid} runs no CPython that is known")
    outcome = _bring(order, interpreter)
    is_packed = _LACKS in outcome.error and library_for(interpreter.minor) is None
    return (
        replace(outcome, error=f"{outcome.error}{_packed_help(order.pid, interpreter.minor)}")
        if is_packed
        else outcome
    )


def _packed_help(pid: int, minor: tuple[int, int]) -> str:
    version = f"{minor[0]}.{minor[1]}"
    outside = f"look from outside: arc-inspector attach {pid} --read-only"
    return (
        f"; the program was packed without that module: put python{version} on PATH, or {outside}"
    )


def _bring(order: Order, interpreter: Interpreter) -> Outcome:
    files = make_agent_files(
        interpreter.minor, level=order.level, leaves_after_secs=order.leaves_after_secs
    )
    with agent_folder_in(order.pid, files) as folder:
        if order.method == Method.REMOTE and interpreter.minor >= OLDEST:
            return _ask_to_come_by(order, interpreter, folder)
        entered = enter(
            order.pid, interpreter, line_for(f"{folder.inside}/{SCRIPT}", own_thread=True)
        )
        return _outcome(
            _await_result(order.pid, folder),
            paused_secs=entered.paused_secs,
            tries=entered.tries,
            interrupted=entered.interrupted,
        )


def line_for(script: str, *, own_thread: bool) -> str:
    """The code for the target's interpreter: the script with its own path.

    It leaves no name behind; an error is for us alone.

    ``own_thread``: the thread that runs it was started for that.
    """
    read = "with open(S, encoding='utf-8') as file: text = file.read()"
    run = (
        f"exec(compile(text, S, 'exec', {FUTURE:#x}, True), {{'__name__': 'inspector_arrival', "
        f"'HERE': S, 'OWN_THREAD': {own_thread}}})"
    )
    file = f"open(S[:-{len(SCRIPT)}] + {RESULT!r}, 'x')"
    tell = (
        f"try:\n with {file} as file: file.write('error\\n' + type(E).__name__ + ': ' + "
        "str(E))\nexcept BaseException:\n pass\n"
    )
    names = f"{{'S': {script!r}, 'E': E}}"
    return (
        f"try:\n exec({read!r} '\\n' {run!r}, {{'S': {script!r}}})\nexcept BaseException as "
        f"E:\n exec({tell!r}, {names})\n"
    )


def _ask_to_come_by(order: Order, interpreter: Interpreter, folder: AgentFolder) -> Outcome:
    """CPython's own way.

    It runs a file as it is: a short script that runs the real script with its path.
    """
    folder.write(REMOTE_SCRIPT, line_for(f"{folder.inside}/{SCRIPT}", own_thread=False).encode())
    remote_exec(order.pid, interpreter, f"{folder.inside}/{REMOTE_SCRIPT}")
    has_begun = _has_begun(order.pid, folder, COME_BY_SECS)
    interrupted = 0
    if not has_begun and order.nudge and nudge(order.pid):
        interrupted = 1
        has_begun = _has_begun(order.pid, folder, COME_BY_SECS)
    if not has_begun:
        waits = settled_wait(order.pid)
        withdraw(order.pid, interpreter)
        if not _has_begun(order.pid, folder, LAST_LOOK_SECS):
            return Outcome(False, waits=waits, interrupted=interrupted)
    return _outcome(_await_result(order.pid, folder), interrupted=interrupted)


def _outcome(
    result: tuple[bool, str], *, paused_secs: float = 0.0, tries: int = 0, interrupted: int = 0
) -> Outcome:
    has_started, text = result
    done = Outcome(
        True, segment=text, paused_secs=paused_secs, tries=tries, interrupted=interrupted
    )
    if has_started:
        return done
    error = " ".join(text.split())[:500]
    return replace(
        done, ok=False, segment="", error=(f"the agent could not start in the target: {error}")
    )


def _has_begun(pid: int, folder: AgentFolder, patience_secs: float) -> bool:
    """Whether the target runs the script by now. Raises ``AttachError`` when the target ended."""
    return _await_file(pid, folder, BEGUN, patience_secs) is not None


def _await_result(pid: int, folder: AgentFolder) -> tuple[bool, str]:
    """Whether the agent arrived, and the path of its segment or the reason why not.

    Raises ``AttachError`` when neither comes.
    """
    raw = _await_file(pid, folder, RESULT, HELLO_SECS)
    if raw is None:
        has_begun = folder.read(BEGUN) is not None
        reason = "the agent had begun to load" if has_begun else "something holds its lock"
        raise AttachError(
            f"the interpreter did not answer within {HELLO_SECS:.0f} s: {reason} (process {pid})"
        )
    word, newline, text = raw.decode(errors="replace").partition("\n")
    if word not in ("ok", "error") or not newline:
        raise AttachError("the agent's answer is damaged")
    return word == "ok", text


def _await_file(pid: int, folder: AgentFolder, name: str, patience_secs: float) -> bytes | None:
    until = time.monotonic() + patience_secs
    while time.monotonic() < until:
        raw = folder.read(name)
        if raw is not None:
            return raw
        if procfs.thread_state(pid, pid) in ("", "Z", "X"):
            raise AttachError(f"process {pid} has ended")
        time.sleep(0.002)
    return None


if __name__ == "__main__":
    main()
