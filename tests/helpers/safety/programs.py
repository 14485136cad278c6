"""The set of programs that the safety suite starts, and the ways in which it does.

The only list of each.

A program is a file of its own below ``tests/targets/safety``. Its text here names its peculiarity.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Way(Enum):
    """How a run is made."""

    WITHOUT = "without"
    PREPARED = "prepared"
    INJECTED = "injected"
    KEPT = "injected, kept"
    AGAIN = "without, again"

    @property
    def has_agent(self) -> bool:
        """Whether there is to be an agent in the program."""
        return self not in (Way.WITHOUT, Way.AGAIN)

    @property
    def is_injected(self) -> bool:
        """Whether it is brought in while the program runs."""
        return self in (Way.INJECTED, Way.KEPT)


SHORT_WAYS: Final = (Way.PREPARED, Way.INJECTED)
FULL_WAYS: Final = (Way.AGAIN, Way.PREPARED, Way.INJECTED, Way.KEPT)
"""``AGAIN`` compares the program with itself: it shows that what is compared does not differ by
chance."""


class Comes(Enum):
    """Whether the agent can work in a program."""

    STAYS = "stays"
    GOES = "goes with the program that runs first"
    """The program executes another one in its own place."""
    REFUSED = "is refused"
    """There is no room for it: the one who brings it in is told so, and so is the prepared
    program's stderr, in one line."""
    EARLY = "is refused once the program runs"
    """The program takes the room away that an agent from the start has."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the set."""

    name: str
    """Of its file, without the suffix."""
    odd: str
    """One sentence: what it does that others do not."""
    options: tuple[str, ...] = ()
    """Of the interpreter."""
    prefix: tuple[str, ...] = ()
    """A command that starts the interpreter."""
    needs: Callable[[], str] = lambda: ""
    """Why it cannot run here; ``""``: it can."""
    comes: Comes = Comes.STAYS
    varies: tuple[str, ...] = ()
    """Facts that differ between any two runs of it, such as those that depend on its own size; not
    compared."""

    def admits(self, way: Way) -> bool:
        """Whether the agent is to come in, run in this way."""
        if not way.has_agent or self.comes is Comes.REFUSED:
            return False
        return self.comes is not Comes.EARLY or not way.is_injected


def package(name: str) -> Callable[[], str]:
    """It needs a package."""
    return lambda: "" if importlib.util.find_spec(name) else f"{name} is not installed"


def python(*version: int) -> Callable[[], str]:
    """It needs a newer interpreter."""
    return lambda: (
        "" if sys.version_info >= version else f"needs Python {'.'.join(map(str, version))}"
    )


def before(*version: int) -> Callable[[], str]:
    """It needs an older interpreter: it uses a private name that has changed since."""
    return lambda: (
        ""
        if sys.version_info < version
        else (f"needs a Python before {'.'.join(map(str, version))}")
    )


def compiler() -> str:
    """It needs a C compiler."""
    return "" if shutil.which("gcc") else "gcc is not installed"


def root() -> str:
    """It needs the rights of root."""
    return "" if os.geteuid() == 0 else "needs root"


def mounts() -> str:
    """It needs a mount namespace of its own."""
    made = subprocess.run([*PRIVATE_MOUNTS, "true", "sh"], capture_output=True, check=False)
    return "" if os.geteuid() == 0 and made.returncode == 0 else "needs root and unshare"


PRIVATE_MOUNTS: Final = ("unshare", "--mount", "sh", "-c")
EVERY_PLACE: Final = (
    'for place in "$XDG_RUNTIME_DIR" "$TMPDIR" /dev/shm /tmp; do {}; done; exec "$@"'
)
FULL: Final = (
    *PRIVATE_MOUNTS,
    EVERY_PLACE.format(
        'mount -t tmpfs -o size=4k tmpfs "$place"; head -c 4096 /dev/zero >"$place/full"'
    ),
    "sh",
)
READ_ONLY: Final = (
    *PRIVATE_MOUNTS,
    EVERY_PLACE.format('mount -t tmpfs -o ro tmpfs "$place"'),
    "sh",
)
CLOSED_STREAMS: Final = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")

DESCRIPTORS: Final = ("descriptors", "view: lowest descriptor", "view: open descriptors")
"""Facts that differ between two runs on gevent, whose threads open theirs in any order."""

PROGRAMS: Final = (
    Program("plain", "is ordinary"),
    Program("exception_exit", "ends by an uncaught exception"),
    Program("sigterm_end", "is ended by SIGTERM"),
    Program("sigterm_handled", "handles SIGTERM and ends with a status of its own"),
    Program("interrupted", "is ended by SIGINT"),
    Program("ends_at_once", "ends by `os._exit`, with output that is not flushed"),
    Program("exit_functions", "has exit functions, and threads that outlive the main thread"),
    Program("exit_in_thread", "has threads that fail and that exit"),
    Program("joins_all_threads", "joins every thread that `threading.enumerate` names"),
    Program("daemon_double_fork", "is a daemon: forks twice, has its streams elsewhere"),
    Program("daemon_closes_all", "is a daemon: closes all descriptors, then listens"),
    Program("daemon_context", "is a daemon made by python-daemon, with a pid file"),
    Program("closed_streams", "is started without stdin, stdout and stderr", prefix=CLOSED_STREAMS),
    Program("fork_server", "is a server of forked workers; one worker is killed"),
    Program("fork_churn", "forks again and again; a child is looked at"),
    Program("fork_beside_threads", "forks from four threads at once"),
    Program("multiprocessing_fork", "uses `multiprocessing` by *fork*"),
    Program("multiprocessing_spawn", "uses `multiprocessing` by *spawn*"),
    Program("multiprocessing_forkserver", "uses `multiprocessing` by *forkserver*"),
    Program("shared_memory", "shares memory, with the tracker of `multiprocessing`"),
    Program(
        "gevent_server",
        "is a server on gevent, everything patched",
        needs=package("gevent"),
        varies=DESCRIPTORS,
    ),
    Program("uvloop_server", "is a server on uvloop, with a child", needs=package("uvloop")),
    Program("asyncio_server", "is a server on asyncio, with a child"),
    Program("thread_pool", "has a pool of eight threads"),
    Program("threads_come_and_go", "starts and ends 200 threads"),
    Program("debugger_traces", "runs under a debugger of `bdb`"),
    Program("debugger_pdb", "is stopped by `pdb`"),
    Program("profiler_cprofile", "runs under `cProfile`"),
    Program("profiler_hook", "has a profiler set by `sys.setprofile` in all threads"),
    Program("tracing_threads", "is traced by `sys.settrace` in all threads"),
    Program("monitoring", "is watched through `sys.monitoring`", needs=python(3, 12)),
    Program("small_stacks", "gives its threads stacks of 64 KiB"),
    Program("memory_limit", "has a limit of memory, and forks"),
    Program(
        "memory_limit_tight",
        "has 20 MiB of memory left, and forks",
        comes=Comes.EARLY,
        varies=("limits",),
    ),
    Program("descriptor_limit", "has all but three of its descriptors in use"),
    Program("file_size_limit", "may write no large files", comes=Comes.EARLY),
    Program(
        "full_file_system",
        "has no room on any file system",
        prefix=FULL,
        needs=mounts,
        comes=Comes.REFUSED,
    ),
    Program(
        "read_only_file_system",
        "has file systems that are read only",
        prefix=READ_ONLY,
        needs=mounts,
        comes=Comes.REFUSED,
    ),
    Program("signals_python", "gets a signal every 100 µs, handled in Python"),
    Program("signals_c", "gets a signal every 100 µs, handled in C", needs=compiler),
    Program("loop_in_c", "is in a tight loop in C", needs=compiler),
    Program("lock_held", "holds the interpreter's lock for long", needs=compiler),
    Program("waits_without_restart", "waits where the kernel restarts nothing", needs=compiler),
    Program("wakeup_descriptor", "has signals told by `signal.set_wakeup_fd`"),
    Program("waits_for_signals", "blocks signals and takes them by `sigwait`"),
    Program("reaps_children", "reaps any child when SIGCHLD comes"),
    Program("faulthandler_installed", "has `faulthandler` enabled, and crashes"),
    Program("subprocess_descriptors", "passes descriptors to children"),
    Program("environment_of_children", "shows the environment and limits of its children"),
    Program("executes_itself", "executes itself anew, twice", comes=Comes.GOES),
    Program("shared_input", "shares its stdin with children"),
    Program("one_stream", "writes output and errors to one file"),
    Program("lowest_numbers", "counts on the numbers of its descriptors"),
    Program("every_setting", "has changed every setting that a process has"),
    Program(
        "strict_mode",
        "has warnings as errors and an audit hook",
        options=("-X", "dev", "-W", "error"),
    ),
    Program("collector", "counts the collector's finds"),
    Program("drops_rights", "starts as root and goes on as another user", needs=root),
    Program("subinterpreters", "runs code in other interpreters", needs=before(3, 13)),
)
"""All of them, in the order of the table."""
